public import Baselines
import Environments
import Foundation
public import Planning
import Tokenization
import Trajectories
import Transformer
import TransformerCPU

extension Critic: TransitionCritic {}

extension PlannerOptionsGroup {
    /// A controller that plans with a trained model under these options.
    ///
    /// - Throws: `CheckpointError` when the model was trained for other dimensions or goals than the
    ///   environment's, `BaselineError` for a critic that cannot be used, and what `Controller` throws.
    func controller(
        of trained: Checkpoint, named name: String, in environment: any Environment
    ) throws -> Controller {
        let specification = environment.specification
        let layout = trained.model.configuration.layout
        guard layout == specification.layout else {
            throw CheckpointError(
                code: .mismatch, file: name,
                detail: "it was trained for \(layout.observationDimension) observation and "
                    + "\(layout.actionDimension) action dimensions, \(specification.identifier) has "
                    + "\(specification.layout.observationDimension) and "
                    + "\(specification.layout.actionDimension); give the environment of its data")
        }
        try requireGoal(of: trained, named: name, in: environment)
        var chosen = options
        // Values were discounted so in training.
        chosen.discount = discount ?? trained.description.tokenization.discount
        return try Controller(
            model: CPUEngine.cpu.decoder(trained.model), discretizer: trained.discretizer,
            actionLimits: specification.actionLimits, goalColumns: trained.goalColumns,
            options: chosen,
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

    /// Refuses a model that is to reach goals where the environment's are not of its kind.
    private func requireGoal(
        of trained: Checkpoint, named name: String, in environment: any Environment
    ) throws(CheckpointError) {
        let columns = trained.goalColumns
        guard !columns.isEmpty else { return }
        let identifier = environment.specification.identifier
        func refuse(_ detail: String) -> CheckpointError {
            CheckpointError(code: .mismatch, file: name, detail: detail)
        }
        func list(_ columns: [Int]) -> String { columns.map(String.init).joined(separator: ",") }
        guard let goals = environment as? any GoalEnvironment else {
            throw refuse(
                "it was trained to reach goals and \(identifier) has none; give a maze, or a "
                    + "model trained without --goal-columns")
        }
        guard let present = goals.goalColumns else {
            throw refuse(
                "its goals are in columns \(list(columns)) of the observation, but "
                    + "\(identifier) does not observe where it is; give a point maze, or a model "
                    + "trained without --goal-columns")
        }
        guard columns == present else {
            throw refuse(
                "its goals are in columns \(list(columns)) of the observation, those of "
                    + "\(identifier) in \(list(present)); train with --goal-columns "
                    + "\(list(present))")
        }
    }
}
