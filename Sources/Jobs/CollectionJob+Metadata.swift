import Behavior
import Datasets
import Episodes
import Foundation
import Policies
import Trajectories

extension CollectionJob {
    /// What D4RL's files say under `metadata` of data that soft actor-critic made: of a policy that
    /// draws its actions all of it, of a replay where training had come to; nothing of others.
    func metadata(
        _ recipe: DatasetRecipe?, policy: String, in specification: EnvironmentSpecification
    ) throws -> [String: MetadataEntry] {
        let parser = PolicyParser(specification)
        let isReplay = recipe?.isReplay == true
        let level =
            isReplay
            ? recipe?.kind == .fullReplay ? "expert" : "medium"
            : policy.replacing("sample:", with: "")
        let file =
            recipe?.isSearched != true && PolicyParser.levels.contains(level)
            ? try? parser.url(ofLevel: level) : URL(fileURLWithPath: level)
        let record = file.flatMap { try? LinearPolicy.metadata(ofFile: $0) } ?? [:]
        guard record["kind"] == "gaussian policy" else { return [:] }
        var metadata = ["algorithm": MetadataEntry.text("SAC")]
        // D4RL counts iterations of a thousand steps.
        if let steps = record["steps"].flatMap(Int.init) {
            metadata["iteration"] = .integer(steps / 1000)
        }
        guard !isReplay,
            let drawn = try? parser.parse(policy).components.first?.policy as? GaussianPolicy,
            drawn.isSampling
        else { return isReplay ? metadata : [:] }
        metadata.merge(drawn.metadata) { $1 }
        return metadata
    }
}

extension GaussianPolicy {
    /// The policy as D4RL's files have it, by rlkit's names of the layers.
    var metadata: [String: MetadataEntry] {
        var entries: [String: MetadataEntry] = [
            "policy/nonlinearity": .text("relu"),
            "policy/output_distribution": .text("tanh_gaussian"),
        ]
        var rest = parameters[...]
        func take(_ name: String, _ shape: [Int]) {
            let count = shape.reduce(1, *)
            entries["policy/\(name)"] = .numbers(Array(rest.prefix(count)), shape: shape)
            rest = rest.dropFirst(count)
        }
        var inputs = layout.observationDimension
        for (index, size) in hiddenSizes.enumerated() {
            take("fc\(index)/weight", [size, inputs])
            take("fc\(index)/bias", [size])
            inputs = size
        }
        // Means first, in the weight as in the bias.
        let actions = layout.actionDimension
        take("last_fc/weight", [actions, inputs])
        take("last_fc_log_std/weight", [actions, inputs])
        take("last_fc/bias", [actions])
        take("last_fc_log_std/bias", [actions])
        return entries
    }
}
