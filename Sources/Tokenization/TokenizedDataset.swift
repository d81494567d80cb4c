import Bounds
public import Trajectories

/// A dataset ready for training: the fitted discretizer and the windows of tokens.
///
///     let dataset = try TokenizedDataset(trajectories, settings: TokenizedDataset.Settings())
///     var batch = TokenBatch(rows: 1, length: dataset.windows.length)
///     dataset.windows.fill(&batch, row: 0, window: 0)
public struct TokenizedDataset: Sendable {
    /// How trajectories become tokens; the defaults are the published settings.
    public struct Settings: Sendable, Hashable, Codable {
        /// The factor by which a reward counts less for each step it lies ahead.
        public var discount = 0.99
        /// Takes the place of the last reward of an episode that ends in a terminal state.
        public var terminationPenalty = TerminationPenalty.automatic
        /// Transitions in a window.
        public var windowLength = 10
        /// Number of transitions after which an episode is cut by its time limit (1000 in D4RL).
        ///
        /// Nil stands for the length of the longest episode. See ``WindowMask/authors``.
        public var maxPathLength: Int?
        /// Number of bins in each dimension.
        public var binCount = 100
        /// Where the edges of the bins come from.
        public var strategy = Discretizer.Strategy.quantile
        /// Which targets count in the loss.
        public var mask = WindowMask.terminal
        /// Columns of the observation that make up a window's goal, such as 0 and 1 for the place
        /// in a maze; nil trains without goals.
        public var goalColumns: [Int]?
        /// Which later row of its episode a window's goal is, where there are ``goalColumns``.
        public var goalRule = HindsightGoal.later
        /// Columns that hold one of a few whole numbers, each of which becomes a token as it is; nil
        /// where all are quantities.
        public var discrete: [DiscreteColumn]?
        /// What of the observations the model does not see; nil where it sees all.
        ///
        /// A hidden number becomes a token of its own, the last of its dimension, and is no target.
        public var hiding: Hiding?
        /// Columns of the observation that hold for a whole episode, such as the map that it is on;
        /// nil where there are none.
        ///
        /// They are taken out of the transitions, and stand once in front of every sequence.
        public var conditionColumns: [Int]?
        /// Levels of an episode's return, such as 10; nil where the model is not told any.
        ///
        /// The episode's own stands in front of every sequence: ``ReturnLevels``.
        public var returnLevels: Int?

        /// The published settings.
        public init() {}

        /// What is wrong with the settings, or nil.
        package var problem: String? {
            if let problem = Bound.transitions.problem("windowLength", windowLength)
                ?? Bound.bins.problem("binCount", binCount)
                ?? Bound.steps.problem("maxPathLength", maxPathLength)
            {
                return problem
            }
            if !(0...1).contains(discount) {
                return "discount must lie in [0, 1], found \(discount)"
            }
            for (name, columns) in [
                ("goalColumns", goalColumns), ("conditionColumns", conditionColumns),
            ] where columns?.isEmpty == true {
                return "\(name) is empty; name columns of the observation or leave it out"
            }
            if let hiding {
                if let problem = hiding.problem { return "hiding: \(problem)" }
                if goalColumns != nil { return "hiding is for models without goalColumns" }
                if binCount < 2 { return "hiding takes one of the bins; give binCount 2 or more" }
            }
            if let returnLevels, !(2...max(2, binCount - 1)).contains(returnLevels) {
                return "returnLevels must lie in [2, \(max(2, binCount - 1))], found "
                    + "\(returnLevels)"
            }
            if conditionColumns != nil {
                if hiding != nil { return "hiding is for models without conditionColumns" }
                if discrete != nil {
                    return "conditionColumns are for data without discrete columns; leave one of "
                        + "them out"
                }
            }
            if goalColumns == nil, goalRule != .later {
                return "goalRule \(goalRule) is for goalColumns that are not given"
            }
            return terminationPenalty.problem
        }

        /// What is wrong with ``goalColumns`` or ``conditionColumns`` for observations of `layout`,
        /// or nil.
        package func goalProblem(layout: TransitionLayout) -> String? {
            goalColumns.flatMap(layout.problem(ofGoalColumns:)) ?? conditionProblem(layout: layout)
        }
    }

    /// How the tokens were made; an automatic penalty has been decided.
    public let settings: Settings
    /// The bins.
    public let discretizer: Discretizer
    /// What of the data's observations holds for whole episodes, and its bins; nil where nothing
    /// does.
    public let conditions: Conditions?
    /// The training items.
    public let windows: TokenWindows

    /// Which column is which in the data, of which the windows lack the ``conditions``.
    public var dataLayout: TransitionLayout { settings.dataLayout(ofModel: windows.layout) }

    /// Fits a discretizer to the trajectories and tokenizes them.
    ///
    /// - Parameters:
    ///   - trajectories: The episodes, all of one layout.
    ///   - settings: How they become tokens.
    /// - Throws: ``DiscretizerError`` when there are too few rows, the episodes differ in layout,
    ///   or a number is not finite.
    public init(_ trajectories: [Trajectory], settings: Settings = Settings())
        throws(DiscretizerError)
    {
        try settings.requireSound()
        let settings = settings.decided(by: TerminalStates(of: trajectories))
        let (table, held) = try TokenizedDataset.table(trajectories, settings)
        try settings.requireDiscreteColumns(in: table.layout)
        for trajectory in trajectories { try settings.requireDiscrete(trajectory) }
        let discretizer = try Discretizer(
            fitting: settings.strategy, to: table.values,
            dimension: table.layout.transitionDimension, binCount: settings.binCount,
            hiddenColumns: settings.hiddenColumns(of: table.layout)
        ).with(settings.discrete ?? [])
        self.init(table, discretizer, settings, held)
    }

    /// Tokenizes the trajectories with bins that were fitted before, such as a checkpoint's.
    ///
    /// - Parameters:
    ///   - trajectories: The episodes, all of one layout.
    ///   - settings: How they become tokens; `strategy` and `binCount` give way to those of
    ///     `discretizer`.
    ///   - discretizer: The bins; those of ``Settings/conditionColumns`` are fitted to the data.
    /// - Throws: ``DiscretizerError`` when there are no rows, the episodes differ in layout, or the
    ///   discretizer is for another number of dimensions.
    public init(
        _ trajectories: [Trajectory], settings: Settings = Settings(), discretizer: Discretizer
    ) throws(DiscretizerError) {
        var settings = settings.decided(by: TerminalStates(of: trajectories))
        settings.strategy = discretizer.strategy
        settings.binCount = discretizer.binCount
        try settings.requireSound()
        let (table, held) = try TokenizedDataset.table(trajectories, settings)
        try discretizer.requireDimension(of: table.layout)
        guard settings.hiddenColumns(of: table.layout) == discretizer.hiddenColumns else {
            throw DiscretizerError(
                code: .malformed, dimension: nil,
                detail: "the settings hide numbers and the discretizer has no token for them, or "
                    + "the other way round; use both of one model")
        }
        try settings.requireDiscreteColumns(in: table.layout)
        for trajectory in trajectories { try settings.requireDiscrete(trajectory) }
        self.init(table, discretizer, settings, held)
    }

    /// Tokenizes the trajectories with `bins`, or with bins that are fitted to them where there are
    /// none.
    package init(
        _ trajectories: [Trajectory], settings: Settings, bins: Discretizer?
    ) throws(DiscretizerError) {
        guard let bins else {
            try self.init(trajectories, settings: settings)
            return
        }
        try self.init(trajectories, settings: settings, discretizer: bins)
    }

    private init(
        _ table: TransitionTable, _ discretizer: Discretizer, _ settings: Settings,
        _ held: (conditions: Conditions, tokens: [[Int]])?
    ) {
        self.init(
            TokenStore(
                table, discretizer: discretizer, hiding: settings.hiding,
                conditions: held?.tokens ?? []),
            discretizer, settings, held?.conditions)
    }

    /// Makes the windows of `store`, whose tokens were made with the settings.
    init(
        _ store: TokenStore, _ discretizer: Discretizer, _ settings: Settings,
        _ conditions: Conditions? = nil
    ) {
        var (store, conditions) = (store, conditions)
        if let count = settings.returnLevels {
            let returns = ReturnLevels(count: count, binCount: discretizer.binCount)
            let levels = returns.levels(
                returns: store.returns(
                    discretizer, penalty: settings.terminationPenalty.value),
                lengths: (0..<store.episodeCount).map(store.length(ofEpisode:)))
            store.appendLevels(levels.map(returns.token), untold: returns.untold)
            conditions?.returns = returns
            conditions = conditions ?? Conditions(returns: returns)
        }
        self.settings = settings
        self.discretizer = discretizer
        self.conditions = conditions
        windows = TokenWindows(
            store, windowLength: settings.windowLength,
            maxPathLength: settings.maxPathLength, mask: settings.mask,
            goalColumns: (settings.goalColumns ?? []).map { conditions?.restColumn($0) ?? $0 },
            goalRule: settings.goalRule)
    }

    /// All transitions, without the conditions, and those with their tokens.
    private static func table(_ trajectories: [Trajectory], _ settings: Settings)
        throws(DiscretizerError)
        -> (table: TransitionTable, held: (conditions: Conditions, tokens: [[Int]])?)
    {
        guard let layout = trajectories.first(where: { $0.count > 0 })?.layout else {
            throw DiscretizerError(
                code: .tooFewRows, dimension: nil, detail: "there are no transitions in the data")
        }
        if let other = trajectories.first(where: { $0.count > 0 && $0.layout != layout })?.layout {
            throw DiscretizerError(
                code: .malformed, dimension: nil,
                detail: "episodes of \(layout.observationDimension) + \(layout.actionDimension) "
                    + "and of \(other.observationDimension) + \(other.actionDimension) observation "
                    + "and action dimensions cannot be mixed; use data of one environment")
        }
        try settings.requireGoalColumns(in: layout)
        let columns = settings.conditionColumns
        let held = try columns.map { columns throws(DiscretizerError) in
            try Conditions.fitted(columns, to: trajectories, binCount: settings.binCount)
        }
        let rest =
            columns.map { columns in
                trajectories.filter { $0.count > 0 }
                    .map { $0.withoutObservationColumns(columns) }
            } ?? trajectories
        let table = TransitionTable(
            rest, layout: layout.withoutObservationColumns(columns ?? []),
            discount: settings.discount,
            terminationPenalty: settings.terminationPenalty.value)
        if let index = table.values.firstIndex(where: { !$0.isFinite }) {
            let width = table.layout.transitionDimension
            let named = (0..<layout.transitionDimension).filter {
                !(columns ?? []).contains($0)
            }
            throw DiscretizerError(
                code: .notFinite, dimension: named[index % width],
                detail: "row \(index / width) is \(table.values[index]); remove such rows from the "
                    + "data")
        }
        return (table, held)
    }
}

extension TokenizedDataset.Settings {
    /// Checks that the settings make sense together, whatever the data.
    func requireSound() throws(DiscretizerError) {
        if let problem {
            throw DiscretizerError(code: .malformed, dimension: nil, detail: problem)
        }
    }

    /// Checks that the goal's columns are the observation's.
    func requireGoalColumns(in layout: TransitionLayout) throws(DiscretizerError) {
        if let problem = goalProblem(layout: layout) {
            throw DiscretizerError(code: .malformed, dimension: nil, detail: problem)
        }
    }
}

extension TokenizedDataset.Settings {
    /// Columns of which numbers can be hidden: the observation's, or none.
    public func hiddenColumns(of layout: TransitionLayout) -> Range<Int> {
        hiding == nil ? 0..<0 : layout.observationRange
    }

    /// Refuses to hide anything of a token file, whose tokens hold all that the data hold.
    func requireNoHiding() throws(DiscretizerError) {
        guard hiding == nil else {
            throw DiscretizerError(
                code: .malformed, dimension: nil,
                detail: "nothing is hidden in token files; hide it of the dataset itself")
        }
    }

    /// Checks that the discrete columns are of transitions of `layout`.
    func requireDiscreteColumns(in layout: TransitionLayout) throws(DiscretizerError) {
        if let problem = discreteProblem(layout: layout) {
            throw DiscretizerError(code: .malformed, dimension: nil, detail: problem)
        }
    }
}

extension TokenizedDataset.Settings {
    private enum CodingKeys: String, CodingKey {
        case discount, terminationPenalty, windowLength, maxPathLength, binCount, strategy, mask
        case goalColumns, goalRule, discrete, hiding, conditionColumns, returnLevels
    }

    /// Decodes settings; files from before the penalty could be decided leave it out where there
    /// is none, those from before there was a choice of goals this choice.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        discount = try values.decode(Double.self, forKey: .discount)
        terminationPenalty =
            try values.decodeIfPresent(TerminationPenalty.self, forKey: .terminationPenalty)
            ?? .nothing
        windowLength = try values.decode(Int.self, forKey: .windowLength)
        maxPathLength = try values.decodeIfPresent(Int.self, forKey: .maxPathLength)
        binCount = try values.decode(Int.self, forKey: .binCount)
        strategy = try values.decode(Discretizer.Strategy.self, forKey: .strategy)
        mask = try values.decode(WindowMask.self, forKey: .mask)
        goalColumns = try values.decodeIfPresent([Int].self, forKey: .goalColumns)
        goalRule = try values.decodeIfPresent(HindsightGoal.self, forKey: .goalRule) ?? .later
        discrete = try values.decodeIfPresent([DiscreteColumn].self, forKey: .discrete)
        hiding = try values.decodeIfPresent(Hiding.self, forKey: .hiding)
        conditionColumns = try values.decodeIfPresent([Int].self, forKey: .conditionColumns)
        returnLevels = try values.decodeIfPresent(Int.self, forKey: .returnLevels)
    }
}
