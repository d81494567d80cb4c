import Safetensors
import Transformer

extension EngineState {
    private static let firstName = "first_moment"
    private static let secondName = "second_moment"

    /// The optimizer's moments as a file beside a checkpoint.
    var moments: SafetensorsFile {
        var file = SafetensorsFile(name: "optimizer")
        file.set(EngineState.firstName, firstMoment, shape: [firstMoment.count])
        file.set(EngineState.secondName, secondMoment, shape: [secondMoment.count])
        return file
    }

    /// Refuses moments with which no step can be made.
    static func check(_ file: SafetensorsFile) throws(SafetensorsError) {
        for name in [firstName, secondName] where try !file.floats(name).allSatisfy(\.isFinite) {
            throw SafetensorsError(
                code: .malformed, file: file.name, tensor: name,
                detail: "it holds what is no finite number; the run cannot go on from it")
        }
    }

    /// The names of the parts that hold what is no finite number.
    var ruined: [String] {
        [
            ("weights", parameters), ("first moments", firstMoment),
            ("second moments", secondMoment),
        ].filter { !$1.allSatisfy(\.isFinite) }.map(\.0)
    }

    /// The state of a model's run after `updates` updates.
    ///
    /// - Throws: `SafetensorsError` when the file has no moments or those of another model.
    init(
        of model: TrajectoryTransformer, moments file: SafetensorsFile, updates: Int
    ) throws(SafetensorsError) {
        func moment(_ name: String) throws(SafetensorsError) -> [Float] {
            let values = try file.floats(name)
            guard values.count == model.parameterCount else {
                throw SafetensorsError(
                    code: .wrongShape, file: file.name, tensor: name,
                    detail: "expected \(model.parameterCount) numbers, found \(values.count)")
            }
            return values
        }
        self.init(
            parameters: model.values, firstMoment: try moment(EngineState.firstName),
            secondMoment: try moment(EngineState.secondName), updates: updates)
    }
}
