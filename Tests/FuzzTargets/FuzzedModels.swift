import Episodes
import Foundation
import Learning
import Policies
import RandomNumbers
import Safetensors
import Tokenization
import Trajectories
import Transformer
import TransformerCPU

/// Files that hold what was learnt.
enum FuzzedModels {
    static let layout = TransitionLayout(observationDimension: 3, actionDimension: 2)
    static let specification = EnvironmentSpecification(
        identifier: "point-v0", family: "point", layout: layout, actionLimits: [-1...1, -1...1],
        maximumEpisodeSteps: 10)
    private static let observation = [0.1, -0.2, 0.3]
    private static let action = [0.5, -0.5]
    private static let engine = CPUEngine(workers: 1)

    static func policy(_ bytes: [UInt8]) throws {
        let file = try FuzzScratch.write(bytes, "policy.safetensors")
        var generator = PCG64(seed: 0)
        // Of whichever kind the file says that it is.
        let parser = PolicyParser(specification, levelsIn: nil)
        for component in try parser.parse(file.path).components {
            let goal = component.policy.goalColumns.map { _ in 0.1 }
            _ = component.policy.action(for: observation + goal, using: &generator)
        }
    }

    static func critic(_ bytes: [UInt8]) throws {
        let critic = try Critic(contentsOf: FuzzScratch.write(bytes, "critic.safetensors"))
        guard critic.layout == layout else { return }
        _ = critic.value(of: observation)
        _ = critic.values(observations: [observation], actions: [action])
    }

    static func dynamics(_ bytes: [UInt8]) throws {
        let ensemble = try DynamicsEnsemble(
            contentsOf: FuzzScratch.write(bytes, "dynamics.safetensors"))
        guard ensemble.layout == layout else { return }
        _ = ensemble.predict(
            from: observation, actions: [action, action], samples: 2, seed: 0)
    }

    // MARK: - Checkpoints

    static func checkpoint(description: [UInt8]? = nil, weights: [UInt8]? = nil) throws {
        let folder = FuzzScratch.folder.appendingPathComponent("checkpoint")
        if !FileManager.default.fileExists(atPath: folder.path) {
            try FuzzSeeds.checkpoint(in: folder)
        }
        if let description {
            try Data(description).write(to: folder.appendingPathComponent("checkpoint.json"))
        }
        if let weights {
            try Data(weights).write(to: folder.appendingPathComponent("weights-0.safetensors"))
        }
        let checkpoint = try Checkpoint(directory: folder)
        let model = engine.prefixDecoder(checkpoint.model)
        if model.goalDimension > 0 {
            model.begin(goals: [Array(repeating: 0, count: model.goalDimension)])
        }
        let nodes = model.extend([PrefixNode(parent: .root, token: 0, needsOutput: true)])
        _ = model.logits(of: nodes.lowerBound)
    }
}
