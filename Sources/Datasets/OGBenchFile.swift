import Trajectories

/// An archive in OGBench's layout: `terminals` marks the last row of a trajectory, which holds only
/// the observation after its last action, and there are no rewards.
///
/// Park et al. 2024, arXiv 2410.20092. Trajectories there end at a time limit; rewards of 0 stand
/// for those that the file does not have.
struct OGBenchFile: EpisodeSource {
    let layout: TransitionLayout
    let rowCount: Int
    let attributes: [String: String] = [:]
    let notes: [String]

    private let reader: CheckedReader
    private let observations: any RowArray
    private let actions: any RowArray
    private let terminals: any RowArray
    private let maxEpisodeLength: Int?

    /// Whether a file is in this layout.
    static func matches(_ table: any ArrayTable) -> Bool {
        table.contains("terminals") && !table.contains("rewards") && !table.contains("timeouts")
    }

    init(_ table: any ArrayTable, options: TrajectoryDataset.ReadingOptions) throws {
        let file = table.file
        try options.requireNoKeys(file: file)
        for (isSet, what) in [
            (
                options.dropsLastRow,
                "leaving out the last row is for files that the authors' code reads"
            ),
            (options.hasNoTimeLimit, "trajectories in OGBench's layout end at a time limit"),
        ] where isSet {
            throw DatasetError(.unusedOption, file: file, what)
        }
        reader = CheckedReader(file: file, allowsNonFinite: options.allowsNonFinite)
        (observations, actions) = try reader.observationsAndActions(of: table)
        let rows = observations.shape[0]
        terminals = try reader.column("terminals", of: table, rows: rows, fitting: "observations")
        let ends = try reader.flags(terminals, rows: 0..<rows)
        // Rows after the last mark are a trajectory, too, whose last observation stays behind.
        let count = ends.count { $0 } + (ends.last == false ? 1 : 0)
        rowCount = rows - count
        guard rowCount > 0 else {
            throw DatasetError(
                .empty, file: file, "there are no transitions: every row ends a trajectory")
        }
        let (dimension, note) = try options.observationDimension(
            of: observations.width, file: file, field: "observations", environment: nil)
        layout = TransitionLayout(
            observationDimension: dimension, actionDimension: actions.width)
        notes = [
            "'\(file)' is in OGBench's layout: the last row of each of \(count) trajectories is "
                + "only an observation, and all rewards are 0", note,
        ].compactMap(\.self)
        maxEpisodeLength = options.maxEpisodeLength
    }

    func walk(rewardsOnly: Bool, _ body: (EpisodeRows) throws -> Void) throws {
        let rows = observations.shape[0]
        let step = max(1, D4RLFile.blockBytes / (4 * observations.width))
        var cutter = EpisodeCutter(layout)
        for start in stride(from: 0, to: rows, by: step) {
            let range = start..<min(start + step, rows)
            let block = EpisodeCutter.Block(
                observations: rewardsOnly
                    ? []
                    : try reader.numbers(
                        observations, rows: range, columns: observations.width,
                        kept: layout.observationDimension),
                actions: rewardsOnly
                    ? [] : try reader.numbers(actions, rows: range, columns: actions.width),
                rewards: [Float](repeating: 0, count: range.count),
                terminals: [Bool](repeating: false, count: range.count),
                timeouts: try reader.flags(terminals, rows: range))
            try cutter.add(block, isLast: range.upperBound == rows) { episode in
                try handOn(episode, rewardsOnly: rewardsOnly, body)
            }
        }
    }

    /// Hands on a trajectory without its last row, in pieces where a greatest length is given.
    private func handOn(
        _ episode: EpisodeRows, rewardsOnly: Bool, _ body: (EpisodeRows) throws -> Void
    ) throws {
        let steps = episode.rewards.count - 1
        guard steps > 0 else { return }
        var cutter = EpisodeCutter(layout, maxLength: maxEpisodeLength)
        var timeouts = [Bool](repeating: false, count: steps)
        timeouts[steps - 1] = true
        try cutter.add(
            EpisodeCutter.Block(
                observations: Array(
                    episode.observations.dropLast(rewardsOnly ? 0 : layout.observationDimension)),
                actions: Array(episode.actions.dropLast(rewardsOnly ? 0 : layout.actionDimension)),
                rewards: Array(episode.rewards.dropLast()),
                terminals: [Bool](repeating: false, count: steps), timeouts: timeouts),
            isLast: true, body)
    }
}
