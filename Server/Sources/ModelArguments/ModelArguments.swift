public import ArgumentParser
public import Engines
import Foundation
package import Learning
package import Planning
public import Transformer

extension ComputeDevice: @retroactive ExpressibleByArgument {}
extension Precision: @retroactive ExpressibleByArgument {}

/// Which model, how it searches, and what computes it.
package struct ModelArguments: ParsableArguments {
    @Argument(help: "Folder of the trained model.")
    package var checkpoint: String

    @Option(help: ArgumentHelp("How to search, as JSON.", visibility: .hidden))
    var planner: String?

    @Option(help: "With the objective q, the critic's file.")
    package var critic: String?

    @Option(
        help:
            "What computes the model: cpu, cuda (an NVIDIA card), or auto: a card if there is one.")
    var device = ComputeDevice.cpu

    @Option(help: "Products: exact as float's, or fast with factors of 16 bits (bfloat16).")
    var precision = Precision.exact

    package init() {}

    /// The model, and what its folder is called.
    package func trained() throws -> (checkpoint: Checkpoint, name: String) {
        let folder = try Checkpoint.url(named: checkpoint)
        return (try Checkpoint(at: folder), folder.standardizedFileURL.lastPathComponent)
    }

    /// The options that `trajectory` hands over, or those of the quick search.
    package func options() throws -> PlannerOptions {
        guard let planner else { return PlannerOptions(.quick) }
        do {
            return try JSONDecoder().decode(PlannerOptions.self, from: Data(planner.utf8))
        } catch {
            throw ValidationError("--planner is not the JSON of a search's options")
        }
    }

    /// The critic and what its file is called, where one is given.
    package func judge() throws -> (critic: Critic, name: String)? {
        guard let critic else { return nil }
        let file = URL(fileURLWithPath: critic)
        return (try Critic(contentsOf: file), file.lastPathComponent)
    }

    /// What computes the model.
    package func engine() throws -> any Engine {
        try device.engine(precision: precision)
    }
}
