public import Episodes
public import Learning
public import Planning
import Tokenization
import Trajectories
public import Transformer

extension Critic: TransitionCritic {}

/// A trained model that acts in an environment by planning, after everything was checked to belong
/// together: model, goals, critic and environment.
///
///     let trained = try Checkpoint(directory: folder)
///     let acting = try TrainedAgent(trained, named: "hopper", for: environment, engine: .cpu)
///     var agent = acting.controller
///     agent.reset(seed: 0)
///     let decision = try agent.act(on: observation)
public struct TrainedAgent {
    /// Who acts.
    public let controller: Controller
    /// What a user should know, a line each, such as that the critic discounts otherwise than the
    /// plan.
    public let notes: [String]

    /// Makes a controller of a trained model.
    ///
    /// - Parameters:
    ///   - trained: The model, its bins and how they were made.
    ///   - name: What the model is called in errors, such as its folder.
    ///   - options: How to search; without a discount of theirs, values are discounted as in
    ///     training.
    ///   - critic: What the objective `q` asks; no other does.
    ///   - criticName: What the critic is called in errors, such as its file.
    ///   - environment: Where it is to act.
    ///   - engine: What computes the model.
    /// - Throws: ``AgentError`` when the model was trained for other dimensions or goals than the
    ///   environment's, `LearningError` for a critic made for others, and what `Controller` throws.
    public init(
        _ trained: Checkpoint, named name: String, options: PlannerOptions = .init(),
        critic: Critic? = nil, criticName: String = "critic",
        for environment: any Environment, engine: some Engine
    ) throws {
        let specification = environment.specification
        let layout = trained.dataLayout
        guard layout == specification.layout else {
            throw AgentError(
                code: .otherLayout, model: name,
                detail: "it was trained for \(layout.observationDimension) observation and "
                    + "\(layout.actionDimension) action dimensions, \(specification.identifier) has "
                    + "\(specification.layout.observationDimension) and "
                    + "\(specification.layout.actionDimension); "
                    + (environment is any GoalEnvironment
                        && layout.observationDimension > specification.layout.observationDimension
                        ? "train on the entry 'observation' of its data alone, without goals"
                        : "give the environment of its data"))
        }
        try Self.requireGoal(of: trained, named: name, in: environment)
        var chosen = try options.fitted(toWindowOf: trained.windowTransitions)
        let discount = options.discount ?? trained.description.tokenization.discount
        chosen.discount = discount
        var notes: [String] = []
        if let critic {
            try critic.requireMatch(
                specification.layout, of: specification.identifier, file: criticName)
            if critic.discount != discount {
                notes.append(
                    "the critic discounts by \(critic.discount), the plan by \(discount)")
            }
        }
        self.notes = notes
        controller = try Controller(
            model: engine.decoder(trained.model),
            discretizer: trained.discretizer(readAsBy: chosen),
            actionLimits: specification.actionLimits, goalColumns: trained.goalColumns,
            conditions: trained.conditions, options: chosen, critic: critic)
    }

    /// Refuses a model that is to reach goals where the environment's are not of its kind.
    private static func requireGoal(
        of trained: Checkpoint, named name: String, in environment: any Environment
    ) throws(AgentError) {
        let columns = trained.goalColumns
        guard !columns.isEmpty else { return }
        let identifier = environment.specification.identifier
        func list(_ columns: [Int]) -> String { columns.map(String.init).joined(separator: ",") }
        guard let goals = environment as? any GoalEnvironment else {
            throw AgentError(
                code: .noGoals, model: name,
                detail: "it was trained to reach goals and \(identifier) has none; give a maze, or "
                    + "a model trained without goals")
        }
        guard let present = goals.goalColumns else {
            throw AgentError(
                code: .unobservedGoals, model: name,
                detail: "its goals are in columns \(list(columns)) of the observation, but "
                    + "\(identifier) does not observe where it is; give a point maze, or a model "
                    + "trained without goals")
        }
        guard columns == present else {
            throw AgentError(
                code: .otherGoals, model: name, goalColumns: present,
                detail: "its goals are in columns \(list(columns)) of the observation, those of "
                    + "\(identifier) in \(list(present)); train with goals in these")
        }
    }
}
