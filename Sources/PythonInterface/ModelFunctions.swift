import FoundationEssentials
import Tokenization
import Trajectories
import Transformer

/// A checkpoint that was read, or made by training.
final class ModelBox: @unchecked Sendable {
    /// Never changes.
    let checkpoint: Checkpoint
    /// What it is called in errors.
    let name: String

    init(_ checkpoint: Checkpoint, name: String) {
        self.checkpoint = checkpoint
        self.name = name
    }

    /// What the Python package knows of a model.
    struct Answer: Encodable {
        struct Parameter: Encodable {
            let name: String
            let shape: [Int]
        }

        let description: Checkpoint.Description
        let parameters: [Parameter]
        let goalColumns: [Int]
        let conditionColumns: [Int]
        let returnLevels: Int
        /// Numbers of an observation, those that hold for a whole episode among them.
        let observationDimension: Int
        /// What is wrong with the newest checkpoint, where this is the one before it.
        let note: String?
    }

    var answer: Answer {
        Answer(
            description: checkpoint.description,
            parameters: checkpoint.model.parameterNames.map {
                Answer.Parameter(
                    name: $0, shape: checkpoint.model.parameter(named: $0)?.shape ?? [])
            },
            goalColumns: checkpoint.goalColumns,
            conditionColumns: checkpoint.conditions?.columns ?? [],
            returnLevels: checkpoint.conditions?.returns?.count ?? 0,
            observationDimension: checkpoint.dataLayout.observationDimension,
            note: checkpoint.passedOver)
    }
}

/// Where the checkpoint of a name lies, among the folders that the environment names and those in
/// `shipped`; a folder is itself.
func checkpoint(named name: String, shipped: String) throws(CheckpointError) -> URL {
    var environment = ProcessInfo.processInfo.environment
    let places = [environment[Checkpoint.searchPathVariable], shipped]
    environment[Checkpoint.searchPathVariable] =
        places.compactMap(\.self).joined(separator: ":")
    return try Checkpoint.url(named: name, environment: environment, program: nil)
}

/// Reads the checkpoint in a folder, or of a name among the folders that the environment names
/// and those in `shipped`.
@c(trajectory_model_load)
public func loadModel(
    _ folder: UnsafePointer<CChar>, _ shipped: UnsafePointer<CChar>,
    _ model: UnsafeMutablePointer<Handle?>, _ text: TextPlace
) -> Int32 {
    answer(text) {
        let name = String(cString: folder)
        let url = try checkpoint(named: name, shipped: String(cString: shipped))
        let box = ModelBox(try Checkpoint(at: url), name: name)
        model.pointee = handle(box)
        return box.answer
    }
}

/// The same model with other parameters, in the order in which the model's answer lists them.
@c(trajectory_model_with_values)
public func model(
    _ source: Handle, withValues values: UnsafePointer<Float>, _ count: Int,
    _ model: UnsafeMutablePointer<Handle?>, _ text: TextPlace
) -> Int32 {
    answer(text) {
        let box: ModelBox = object(source)
        var checkpoint = box.checkpoint
        guard count == checkpoint.model.parameterCount else {
            throw Failure(
                .checkpoint,
                "\(count) numbers are not the \(checkpoint.model.parameterCount) parameters of the "
                    + "model")
        }
        let numbers = Array(UnsafeBufferPointer(start: values, count: count))
        guard numbers.allSatisfy(\.isFinite) else {
            throw Failure(.checkpoint, "a parameter is no finite number")
        }
        checkpoint.model = TrajectoryTransformer(checkpoint.model.configuration, values: numbers)
        let made = ModelBox(checkpoint, name: box.name)
        model.pointee = handle(made)
        return made.answer
    }
}

/// Copies all parameters to `values`, one after the other.
@c(trajectory_model_values)
public func modelValues(_ model: Handle, _ values: UnsafeMutablePointer<Float>, _ count: Int) {
    let source = object(model, as: ModelBox.self).checkpoint.model.values
    _ = UnsafeMutableBufferPointer(start: values, count: min(count, source.count))
        .update(fromContentsOf: source.prefix(count))
}

/// Copies the edges of all bins to `edges`: bins + 1 rows of a number for each dimension.
@c(trajectory_model_edges)
public func modelEdges(_ model: Handle, _ edges: UnsafeMutablePointer<Double>, _ count: Int) {
    let source = object(model, as: ModelBox.self).checkpoint.discretizer.edges
    _ = UnsafeMutableBufferPointer(start: edges, count: min(count, source.count))
        .update(fromContentsOf: source.prefix(count))
}

/// Writes a model as a checkpoint that the command line reads too.
@c(trajectory_model_save)
public func saveModel(
    _ model: Handle, _ folder: UnsafePointer<CChar>, _ text: TextPlace
) -> Int32 {
    answer(text) {
        try object(model, as: ModelBox.self).checkpoint.write(
            to: URL(fileURLWithPath: String(cString: folder)))
        return Nothing()
    }
}
