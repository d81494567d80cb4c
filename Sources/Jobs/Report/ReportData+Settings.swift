import Foundation
import Tokenization
import Trajectories
import Transformer

extension ReportData {
    /// Tells the model and how it was trained, by its checkpoint and the run's settings.
    mutating func describe(_ trained: Checkpoint, in folder: URL) {
        let description = trained.description
        let model = description.model
        summary = [
            ["parameters", "\(trained.model.parameterCount)"],
            ["training steps", "\(description.step)"],
            ["training tokens", "\(description.tokens)"],
        ]
        if let seconds = description.seconds {
            summary.append(["training time", "\(Int(seconds.rounded())) s"])
        }
        settings = [
            Group(
                name: "Model",
                entries: [
                    ["layers", "\(model.layerCount)"], ["heads", "\(model.headCount)"],
                    ["width", "\(model.embeddingWidth)"], ["bins", "\(model.binCount)"],
                    ["context", "\(model.contextLength) tokens"],
                    ["observation", "\(model.layout.observationDimension) numbers"],
                    ["action", "\(model.layout.actionDimension) numbers"],
                    ["goal", "\(description.tokenization.goalColumns?.count ?? 0) numbers"],
                ]),
            Group(name: "Tokens", entries: Self.entries(of: description.tokenization)),
        ]
        let file = folder.appendingPathComponent("settings.json")
        guard let data = try? Data(contentsOf: file),
            let object = try? JSONSerialization.jsonObject(with: data) as? [String: Any],
            let training = object["training"]
        else { return }
        settings.append(Group(name: "Training", entries: Self.flat(training)))
    }

    private static func entries(of settings: some Encodable) -> [[String]] {
        guard let data = try? JSONEncoder().encode(settings),
            let object = try? JSONSerialization.jsonObject(with: data)
        else { return [] }
        return flat(object)
    }

    /// Names and values of a JSON object, those of objects in it after a point.
    private static func flat(_ value: Any, under name: String = "") -> [[String]] {
        switch value {
        case let object as [String: Any]:
            return object.sorted { $0.key < $1.key }.flatMap { key, value in
                flat(value, under: name.isEmpty ? key : "\(name).\(key)")
            }
        case let list as [Any]:
            return [[name, list.map { "\($0)" }.joined(separator: ", ")]]
        case let number as NSNumber where isBoolean(number):
            return [[name, number.boolValue ? "yes" : "no"]]
        default: return [[name, "\(value)"]]
        }
    }

    /// Whether a number of JSON was true or false.
    private static func isBoolean(_ number: NSNumber) -> Bool {
        String(cString: number.objCType) == "c"
    }
}
