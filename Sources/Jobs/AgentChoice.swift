import Agents
import Behavior
import Datasets
import Environments
import Episodes
public import Foundation
import Learning
public import Planning
import Policies
import Trajectories
public import Transformer
import TransformerCPU

/// A trained model in a folder, and how it is to plan.
public struct PlanningModel: Sendable {
    /// The folder of the checkpoint, or its JSON file (`Checkpoint.init(at:)`).
    public var checkpoint: URL
    /// How to search.
    public var options = PlannerOptions()
    /// The file of the critic, which the objective `q` asks.
    public var critic: URL?
    /// What computes the model.
    public var engine: any Engine = CPUEngine.cpu

    /// A model that plans with the published options.
    public init(checkpoint: URL) {
        self.checkpoint = checkpoint
    }

    /// A controller of the model in an environment; `note` is told what a user should know.
    func controller(
        of trained: Checkpoint, in environment: any Environment, note: (String) -> Void
    ) throws -> Controller {
        let agent = try TrainedAgent(
            trained, named: checkpoint.given, options: options,
            critic: try critic.map { try Critic(contentsOf: $0) }, criticName: critic?.given ?? "",
            for: environment, engine: engine)
        agent.notes.forEach(note)
        return agent.controller
    }
}

/// Who is to act.
public enum AgentChoice: Sendable {
    /// A trained model, by planning.
    case model(PlanningModel)
    /// A policy, written as `PolicyParser` reads it.
    case policy(String)

    /// The folder or the policy's text, as it was given.
    var name: String {
        switch self {
        case .model(let model): model.checkpoint.given
        case .policy(let text): text
        }
    }
}

/// Whoever acts, loaded, and where.
struct LoadedAgent {
    enum Kind {
        case planner(Controller)
        case policy(PolicyAgent)
    }
    let kind: Kind
    let environment: any Environment
    /// The environment that whoever acts was made for, where that is recorded.
    let recorded: String?

    /// Loads who is to act.
    ///
    /// - Parameters:
    ///   - choice: Who.
    ///   - name: Where; the environment that the checkpoint or the policy's file names if nil.
    ///   - check: Refuses environments before anything is assembled.
    ///   - note: Told what a user should know.
    /// - Throws: ``JobError`` when nobody names the environment; what loading throws.
    init(
        _ choice: AgentChoice, in name: String?, check: (any Environment) throws -> Void,
        note: (String) -> Void
    ) throws {
        var trained: Checkpoint?
        switch choice {
        case .model(let model):
            let checkpoint = try Checkpoint(at: model.checkpoint)
            recorded = checkpoint.description.environment
            trained = checkpoint
        case .policy(let text):
            // What is no file of a policy is for the parser of policies to name.
            recorded = try? LinearPolicy.metadata(ofFile: URL(fileURLWithPath: text))["environment"]
        }
        guard let name = name ?? recorded else {
            throw JobError(
                .noEnvironment, "cannot use '\(choice.name)': it does not name its environment")
        }
        environment = try EnvironmentRegistry.make(name)
        try check(environment)
        switch (choice, trained) {
        case (.model(let model), let trained?):
            kind = .planner(try model.controller(of: trained, in: environment, note: note))
        default:
            let parser = PolicyParser(environment.specification)
            kind = .policy(
                PolicyAgent(
                    try parser.parse(choice.name), layout: environment.specification.layout))
        }
    }
}

extension TrajectoryDataset.ReadingOptions {
    /// The options for data that are given to a model: as many observation dimensions as it was
    /// trained with are kept, unless another number is asked for.
    func fitting(_ trained: Checkpoint) -> Self {
        var options = self
        options.observationDimensions =
            observationDimensions ?? trained.description.observationDimensions
        return options
    }
}
