public import Datasets
public import Environments
public import Episodes
public import Trajectories
public import Transformer

/// The environment that a dataset comes from, and whether a model is for it.
public enum DatasetEnvironment {
    /// The attribute of a file that names its environment.
    public static let attribute = "environment"

    /// The simulation `name`, or else the one that the dataset describes.
    ///
    /// With `allowsFewerObservations` the data may lack observation dimensions at the end.
    ///
    /// - Throws: `EnvironmentError` when there is no such environment, ``DatasetMismatch`` when
    ///   none is named or the data's dimensions are not the environment's.
    public static func make(
        _ name: String?, for dataset: TrajectoryDataset, file: String,
        allowsFewerObservations: Bool = false
    ) throws -> any SimulatedEnvironment {
        guard let name = name ?? RecordedEnvironment(dataset.attributes, file: file).name else {
            throw DatasetMismatch(
                code: .unnamedEnvironment, file: file,
                detail: "it does not name its environment; give its name")
        }
        let environment = try EnvironmentRegistry.simulation(name)
        try requireMatch(
            dataset.layout, environment.specification, file: file,
            allowsFewerObservations: allowsFewerObservations)
        return environment
    }

    /// What is fixed about the environment, if one is named that is known; as `make` where the
    /// caller insists on a name.
    ///
    /// What a file says of itself may name an environment from elsewhere, and is then left aside; a
    /// known one that does not fit is left aside with a warning.
    public static func specification(
        _ name: String?, for dataset: TrajectoryDataset, file: String
    ) throws -> (specification: EnvironmentSpecification?, warnings: [String]) {
        if let name {
            let specification = try EnvironmentRegistry.make(name).specification
            try requireMatch(
                dataset.layout, specification, file: file, allowsFewerObservations: false)
            return (specification, [])
        }
        let recorded = RecordedEnvironment(dataset.attributes, file: file)
        let (specification, warning) = specification(named: recorded.name, fitting: dataset.layout)
        return (specification, recorded.notes + (warning.map { [$0] } ?? []))
    }

    /// What is fixed about the environment that data of `layout` name, if it is known and fits;
    /// else a warning.
    private static func specification(
        named name: String?, fitting layout: TransitionLayout
    ) -> (specification: EnvironmentSpecification?, warning: String?) {
        guard let name, let specification = try? EnvironmentRegistry.make(name).specification else {
            return (nil, nil)
        }
        let expected = specification.layout
        guard layout != expected else { return (specification, nil) }
        return (
            nil,
            "the file names \(specification.identifier), which has "
                + "\(expected.observationDimension) observation and \(expected.actionDimension) "
                + "action dimensions, but has \(layout.observationDimension) and "
                + "\(layout.actionDimension)"
                + (joinsGoals(layout, specification)
                    ? "; its goals are joined to the observations" : "")
        )
    }

    /// Checks, before anything is learnt, that data of `layout` can be of the environment that a
    /// user names.
    ///
    /// - Parameters:
    ///   - name: What a user says.
    ///   - recorded: What the data say.
    ///   - layout: The data's.
    ///   - keepsPart: Whether observation dimensions were left out on purpose.
    ///   - file: What the data are called.
    /// - Returns: A warning where they cannot be of the one that they name themselves.
    /// - Throws: As `make`.
    public static func check(
        _ name: String?, recorded: String?, layout: TransitionLayout, keepsPart: Bool, file: String
    ) throws -> String? {
        if let name {
            try requireMatch(
                layout, EnvironmentRegistry.make(name).specification, file: file,
                allowsFewerObservations: keepsPart)
            return nil
        }
        return keepsPart ? nil : specification(named: recorded, fitting: layout).warning
    }

    private static func requireMatch(
        _ layout: TransitionLayout, _ specification: EnvironmentSpecification, file: String,
        allowsFewerObservations: Bool
    ) throws(DatasetMismatch) {
        let expected = specification.layout
        let isPart =
            layout.actionDimension == expected.actionDimension
            && layout.observationDimension < expected.observationDimension
        guard layout != expected, !(allowsFewerObservations && isPart) else { return }
        throw DatasetMismatch(
            code: joinsGoals(layout, specification) ? .joinedGoals : .otherEnvironment, file: file,
            detail: "it has \(layout.observationDimension) observation and "
                + "\(layout.actionDimension) action dimensions, \(specification.identifier) has "
                + "\(expected.observationDimension) and \(expected.actionDimension); "
                + (joinsGoals(layout, specification)
                    ? "goals are joined to the observations: read the entry 'observation' alone"
                    : "give the environment of the data"))
    }

    /// Whether data of a maze hold its goals beside the observation: where it is, and where to go.
    private static func joinsGoals(
        _ layout: TransitionLayout, _ specification: EnvironmentSpecification
    ) -> Bool {
        let expected = specification.layout
        return specification.family.contains("maze")
            && layout.actionDimension == expected.actionDimension
            && [2, 4].contains(layout.observationDimension - expected.observationDimension)
    }
}

extension Checkpoint {
    /// Checks that the model is for the dimensions of a dataset.
    ///
    /// - Throws: ``DatasetMismatch`` with both sizes when it is not.
    public func requireLayout(
        of data: TrajectoryDataset, file: String, named name: String
    ) throws(DatasetMismatch) {
        let layout = dataLayout
        guard data.layout != layout else { return }
        throw DatasetMismatch(
            code: .otherModel, file: file,
            detail: "the data have \(data.layout.observationDimension) + "
                + "\(data.layout.actionDimension) dimensions, the model '\(name)' "
                + "\(layout.observationDimension) + \(layout.actionDimension); give the data of "
                + "its environment")
    }
}

/// Why a dataset and an environment, or a dataset and a model, do not belong together.
public struct DatasetMismatch: Error, CustomStringConvertible, Sendable, Hashable {
    /// The kinds of failure.
    public enum Code: Sendable, Hashable {
        /// The dataset does not say where it comes from.
        case unnamedEnvironment
        /// The dataset has other dimensions than the environment.
        case otherEnvironment
        /// The dataset has the environment's goals among its observations.
        case joinedGoals
        /// The dataset has other dimensions than the model.
        case otherModel
    }
    /// What kind of failure this is.
    public let code: Code
    /// The dataset's file.
    public let file: String
    /// What went wrong and what to do.
    public let detail: String

    /// One line: what, where, what to do.
    public var description: String { "cannot use '\(file)': \(detail)" }
}
