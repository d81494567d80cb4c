public import Trajectories

extension PlannerOptions {
    /// A named search.
    public enum Preset: Sendable, Hashable, Codable, CaseIterable, RawRepresentable {
        /// 3 transitions ahead with 16 beams from what happened in the last 7, among all actions that
        /// the model thinks possible, weighed by how likely it thinks them; the plan is followed for
        /// 3 steps. Milliseconds a decision for a small model.
        ///
        /// Of another objective than the return 5 transitions ahead, and all else as in ``authors``.
        case quick
        /// No search: the mean of 16 actions that the model thinks possible, drawn in every step
        /// by what it sees now and the transition before.
        ///
        /// A model that sees more goes on with what it has done so far.
        ///
        /// Of another objective than the return the best of these actions, and all else as in
        /// ``authors``.
        case meanAction
        /// What the paper states for all datasets (Janner et al. 2021, appendix E): 15 transitions
        /// ahead with 256 beams, actions from the 20 most likely tokens.
        case paper
        /// What the authors' code does where it says nothing else (`config/offline.py`, revision
        /// 8834a6e): 15 transitions ahead with 128 beams, the least likely 60 % of the mass of
        /// actions left out.
        case authors
        /// What the authors' code does for a dataset (`config/offline.py`, revision 8834a6e).
        case authorsSettings(for: AuthorsDataset)

        /// All, those of datasets after the others.
        public static var allCases: [Preset] {
            [.quick, .meanAction, .paper, .authors]
                + AuthorsDataset.allCases.map { .authorsSettings(for: $0) }
        }

        /// A name such as `paper` or `authors/hopper-medium`.
        public var rawValue: String {
            switch self {
            case .quick: "quick"
            case .meanAction: "mean-action"
            case .paper: "paper"
            case .authors: "authors"
            case .authorsSettings(let dataset): dataset.settingsName
            }
        }

        /// The preset of a name; nil where it is none.
        public init?(rawValue: String) {
            guard let preset = Self.allCases.first(where: { $0.rawValue == rawValue }) else {
                return nil
            }
            self = preset
        }
    }

    /// The options of a preset for an objective.
    public init(_ preset: Preset, for objective: Objective = .expectedReturn) {
        self.init()
        self.objective = objective
        switch preset {
        case .authors: break
        case .authorsSettings(let dataset): takeAuthorsSettings(for: dataset)
        case .paper:
            beamWidth = 256
            (actionTopK, actionCDF) = (20, nil)
        case .quick:
            (horizon, beamWidth) = (5, 16)
            guard objective == .expectedReturn else { break }
            horizon = 3
            contextTransitions = Self.quickContext
            replanInterval = 3
            actionCDF = nil
            likelihoodWeight = 0.5
            window = .cached
        case .meanAction:
            (horizon, beamWidth) = (1, 16)
            guard objective == .expectedReturn else { break }
            (expansionFactor, averagedRows) = (1, beamWidth)
            contextTransitions = 2
            actionCDF = nil
            window = .cached
        }
    }

    /// What the authors' code has for a dataset in the place of its base settings.
    private mutating func takeAuthorsSettings(for dataset: AuthorsDataset) {
        switch dataset {
        case .halfcheetahMedium, .halfcheetahMediumReplay: (horizon, beamWidth) = (5, 32)
        case .halfcheetahMediumExpert: beamWidth = 32
        case .walker2dMediumReplay:
            (horizon, beamWidth) = (20, 32)
            (actionTopK, actionCDF) = (40, nil)
        case .walker2dMediumExpert, .antMedium, .antMediumReplay, .antRandom: horizon = 5
        case .hopperMedium, .hopperMediumReplay, .hopperMediumExpert, .hopperExpert,
            .walker2dMedium, .walker2dExpert, .antMediumExpert:
            break
        }
    }

    /// Transitions that the quick search's model sees, where it can: with those that are planned as
    /// many as the authors train on.
    static let quickContext = 8
}
