import Foundation
import Tokenization
import Training
import Trajectories
import Transformer
import Yams

/// All settings of `trajectory train`, as a configuration file has them.
struct TrainingSettings: Codable {
    /// The model's size and regularization; its dimensions come from the data.
    struct Model: Codable {
        var layers = 4
        var heads = 4
        var width = 128
        var actionWeight: Float = 5
        var rewardWeight: Float = 1
        var valueWeight: Float = 1
        var embeddingDropout: Float = 0.1
        var attentionDropout: Float = 0.1
        var residualDropout: Float = 0.1

        /// The dropout of all three places at once.
        var dropout: Float {
            get { residualDropout }
            set {
                embeddingDropout = newValue
                attentionDropout = newValue
                residualDropout = newValue
            }
        }
    }

    var model = Model()
    var training = TrainingOptions()
    var tokenization = TokenizedDataset.Settings()

    init() {}

    /// Reads a file; what it leaves out keeps its default, what is not a setting is refused.
    init(file: String) throws {
        guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
            throw SettingsError(file: file, detail: "the file is missing or unreadable")
        }
        let defaults = try TrainingSettings.object(TrainingSettings().yaml(), file: "defaults")
        let merged = try TrainingSettings.merge(
            TrainingSettings.object(text, file: file), over: defaults, at: "", file: file)
        do {
            self = try YAMLDecoder().decode(
                TrainingSettings.self, from: Yams.dump(object: merged))
        } catch let DecodingError.typeMismatch(_, context),
            let DecodingError.dataCorrupted(context)
        {
            let key = context.codingPath.map(\.stringValue).joined(separator: ".")
            throw SettingsError(
                file: file,
                detail: "the value of '\(key)' has the wrong type; compare it with "
                    + "'trajectory train --print-config'")
        } catch let DecodingError.keyNotFound(missing, context) {
            let key = (context.codingPath + [missing]).map(\.stringValue).joined(separator: ".")
            throw SettingsError(
                file: file,
                detail: "the value of '\(key)' has the wrong type; compare it with "
                    + "'trajectory train --print-config'")
        }
    }

    /// The settings as a configuration file.
    func yaml() throws -> String {
        let encoder = YAMLEncoder()
        encoder.options.sortKeys = true
        return try encoder.encode(self)
    }

    /// The model's configuration for data of this layout.
    func configuration(layout: TransitionLayout) -> TransformerConfiguration {
        var result = TransformerConfiguration(
            layout: layout, contextTransitions: tokenization.windowLength)
        result.goalDimension = tokenization.goalColumns?.count ?? 0
        result.binCount = tokenization.binCount
        result.layerCount = model.layers
        result.headCount = model.heads
        result.embeddingWidth = model.width
        result.actionWeight = model.actionWeight
        result.rewardWeight = model.rewardWeight
        result.valueWeight = model.valueWeight
        result.embeddingDropout = model.embeddingDropout
        result.attentionDropout = model.attentionDropout
        result.residualDropout = model.residualDropout
        return result
    }

    private static func object(_ text: String, file: String) throws -> [String: Any] {
        do {
            return try Yams.load(yaml: text) as? [String: Any] ?? [:]
        } catch {
            let reason = "\(error)".split(separator: "\n").first.map(String.init) ?? "bad YAML"
            throw SettingsError(file: file, detail: "it is not YAML: \(reason)")
        }
    }

    /// Settings that are nil by default and therefore absent from the defaults' file.
    private static let optional: Set<String> = [
        "training.timeLimit", "training.workers", "training.finalTokens",
        "tokenization.maxPathLength", "tokenization.terminationPenalty",
        "tokenization.goalColumns",
    ]

    private static func merge(
        _ given: [String: Any], over defaults: [String: Any], at path: String, file: String
    ) throws -> [String: Any] {
        var result = defaults
        for (key, value) in given {
            let name = path + key
            if let section = defaults[key] as? [String: Any] {
                guard let inner = value as? [String: Any] else {
                    throw SettingsError(file: file, detail: "'\(name)' must be a section")
                }
                result[key] = try merge(inner, over: section, at: "\(name).", file: file)
            } else if defaults[key] != nil || optional.contains(name) {
                result[key] = value is NSNull ? nil : value
            } else {
                throw SettingsError(
                    file: file,
                    detail: "there is no setting '\(name)'; 'trajectory train --print-config' "
                        + "lists them")
            }
        }
        return result
    }
}

/// A configuration file that cannot be used.
struct SettingsError: Error, CustomStringConvertible {
    let file: String
    let detail: String

    var description: String { "cannot use settings '\(file)': \(detail)" }
}
