import Environments
import Planning
import Tokenization
import Trajectories
import Transformer

extension PlannerOptionsGroup {
    /// A controller that plans with a trained model under these options.
    ///
    /// - Throws: `CheckpointError` when the model was trained for other dimensions than the
    ///   environment's, and what `Controller` throws.
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
            actionLimits: specification.actionLimits, options: chosen)
    }
}
