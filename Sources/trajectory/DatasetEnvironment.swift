import Datasets
import Environments
import Trajectories

/// The environment that a dataset file comes from.
enum DatasetEnvironment {
    /// The attribute of a file that names its environment.
    static let attribute = "environment"

    /// The environment `name`, or else the one that the file names.
    ///
    /// With `allowsFewerObservations` the data may lack observation dimensions at the end.
    ///
    /// - Throws: `EnvironmentError` when there is no such environment, ``CommandError`` when none is
    ///   named or the file's dimensions are not the environment's.
    static func make(
        _ name: String?, for dataset: TrajectoryDataset, file: String,
        allowsFewerObservations: Bool = false
    ) throws -> any SimulatedEnvironment {
        guard let name = name ?? dataset.attributes[attribute] else {
            throw CommandError(
                description: "cannot use '\(file)': it does not name its environment; give --env")
        }
        let environment = try EnvironmentRegistry.make(name)
        let (found, expected) = (dataset.layout, environment.specification.layout)
        let isPart =
            found.actionDimension == expected.actionDimension
            && found.observationDimension < expected.observationDimension
        if !(allowsFewerObservations && isPart) {
            try requireMatch(found, environment.specification, file: file)
        }
        return environment
    }

    /// What is fixed about the environment, if one is named that is known; as ``make`` where the
    /// caller insists on a name.
    ///
    /// What a file says of itself may name an environment from elsewhere, and is then left aside; a
    /// known one that does not fit is left aside with a warning.
    static func specification(_ name: String?, for dataset: TrajectoryDataset, file: String) throws
        -> (specification: EnvironmentSpecification?, warning: String?)
    {
        if name != nil { return (try make(name, for: dataset, file: file).specification, nil) }
        guard let stated = dataset.attributes[attribute],
            let specification = try? EnvironmentRegistry.make(stated).specification
        else { return (nil, nil) }
        let (found, expected) = (dataset.layout, specification.layout)
        guard found != expected else { return (specification, nil) }
        return (
            nil,
            "the file names \(specification.identifier), which has "
                + "\(expected.observationDimension) observation and \(expected.actionDimension) "
                + "action dimensions, but has \(found.observationDimension) and "
                + "\(found.actionDimension)"
        )
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
