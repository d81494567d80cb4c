import Agents
import Episodes
import Foundation
import Learning
import Planning
import Transformer
import TransformerCPU

extension PlannerOptionsGroup {
    /// A controller that plans with a trained model under these options.
    ///
    /// - Throws: What `TrainedAgent` throws, and `LearningError` for a critic that cannot be read.
    func controller(
        of trained: Checkpoint, named name: String, in environment: any Environment
    ) throws -> Controller {
        let agent = try TrainedAgent(
            trained, named: name, options: options,
            critic: try critic.map { try Critic(contentsOf: URL(fileURLWithPath: $0)) },
            criticName: critic ?? "", for: environment, engine: .cpu)
        agent.notes.forEach(Console.progress)
        return agent.controller
    }
}
