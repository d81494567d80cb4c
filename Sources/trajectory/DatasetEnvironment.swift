import Datasets
import Environments
import Trajectories

/// The environment that a dataset file comes from.
enum DatasetEnvironment {
    /// The attribute of a file that names its environment.
    static let attribute = "environment"

    /// The environment `name`, or else the one that the file names.
    ///
    /// - Throws: `EnvironmentError` when there is no such environment, ``CommandError`` when none is
    ///   named or the file's dimensions are not the environment's.
    static func make(_ name: String?, for dataset: TrajectoryDataset, file: String) throws
        -> any SimulatedEnvironment
    {
        guard let name = name ?? dataset.attributes[attribute] else {
            throw CommandError(
                description: "cannot use '\(file)': it does not name its environment; give --env")
        }
        let environment = try EnvironmentRegistry.make(name)
        try requireMatch(dataset.layout, environment.specification, file: file)
        return environment
    }

    /// What is fixed about the environment, if one is named that is known; as ``make`` where the
    /// caller insists on a name.
    static func specification(_ name: String?, for dataset: TrajectoryDataset, file: String) throws
        -> EnvironmentSpecification?
    {
        if name != nil { return try make(name, for: dataset, file: file).specification }
        // What a file says of itself may be wrong or name an environment from elsewhere.
        return try? make(nil, for: dataset, file: file).specification
    }

    private static func requireMatch(
        _ layout: TransitionLayout, _ specification: EnvironmentSpecification, file: String
    ) throws {
        let expected = specification.layout
        guard layout != expected else { return }
        throw CommandError(
            description: "cannot use '\(file)': it has \(layout.observationDimension) observation "
                + "and \(layout.actionDimension) action dimensions, \(specification.identifier) has "
                + "\(expected.observationDimension) and \(expected.actionDimension); give the "
                + "environment of the data with --env")
    }
}
