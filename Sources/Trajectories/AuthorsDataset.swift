/// A dataset of D4RL's for which the authors' code has settings of training and planning.
///
/// Those that `config/offline.py` of their repository names (revision 8834a6e), and those that it
/// leaves to its base settings. Names are D4RL's without the version.
public enum AuthorsDataset: String, Sendable, Hashable, Codable, CaseIterable {
    /// Hopper.
    case hopperMedium = "hopper-medium"
    case hopperMediumReplay = "hopper-medium-replay"
    case hopperMediumExpert = "hopper-medium-expert"
    case hopperExpert = "hopper-expert"
    /// HalfCheetah.
    case halfcheetahMedium = "halfcheetah-medium"
    case halfcheetahMediumReplay = "halfcheetah-medium-replay"
    case halfcheetahMediumExpert = "halfcheetah-medium-expert"
    /// Walker2d.
    case walker2dMedium = "walker2d-medium"
    case walker2dMediumReplay = "walker2d-medium-replay"
    case walker2dMediumExpert = "walker2d-medium-expert"
    case walker2dExpert = "walker2d-expert"
    /// Ant.
    case antMedium = "ant-medium"
    case antMediumReplay = "ant-medium-replay"
    case antMediumExpert = "ant-medium-expert"
    case antRandom = "ant-random"

    /// How the datasets' settings are named: `authors/hopper-medium`.
    package var settingsName: String { "authors/\(rawValue)" }

    /// The dataset whose settings have this name.
    package init?(settingsName name: String) {
        guard let known = Self.allCases.first(where: { $0.settingsName == name }) else {
            return nil
        }
        self = known
    }
}
