public import Baselines
import Environments
import Foundation
public import Planning
import Tokenization
import Trajectories
import Transformer

extension Critic: TransitionCritic {}

extension PlannerOptionsGroup {
    /// A controller that plans with a trained model under these options.
    ///
    /// - Throws: `CheckpointError` when the model was trained for other dimensions than the
    ///   environment's, `BaselineError` for a critic that cannot be used, and what `Controller` throws.
    func controller(
        of trained: Checkpoint, named name: String, in specification: EnvironmentSpecification
    ) throws -> Controller {
        let layout = trained.model.configuration.layout
        guard layout == specification.layout else {
            throw CheckpointError(
                code: .mismatch, file: name,
                detail: "it was trained for \(layout.observationDimension) observation and "
                    + "\(layout.actionDimension) action dimensions, \(specification.identifier) has "
                    + "\(specification.layout.observationDimension) and "
                    + "\(specification.layout.actionDimension); give the environment of its data")
        }
        var chosen = options
        // Values were discounted so in training.
        chosen.discount = discount ?? trained.description.tokenization.discount
        return try Controller(
            model: PrefixDecoder(trained.model), discretizer: trained.discretizer,
            actionLimits: specification.actionLimits, options: chosen,
            critic: loadCritic(in: specification, discount: chosen.discount))
    }

    private func loadCritic(in specification: EnvironmentSpecification, discount: Double) throws
        -> Critic?
    {
        guard let file = critic else { return nil }
        let critic = try Critic(contentsOf: URL(fileURLWithPath: file))
        try critic.requireMatch(
            specification.layout, of: specification.identifier, file: file)
        if critic.discount != discount {
            Console.progress(
                "the critic discounts by \(critic.discount), the plan by \(discount)")
        }
        return critic
    }
}
