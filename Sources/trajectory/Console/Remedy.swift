import Agents
import Behavior
import Environments
import Evaluation
import Learning
import Policies

/// What to type about an error of a library, which knows no commands.
enum Remedy {
    /// The remedy for an error; nil where its text says all.
    static func text(for error: any Error) -> String? {
        switch error {
        case let error as EnvironmentError where error.code == .unknownName:
            "`trajectory environments` lists all"
        case let error as PolicyError:
            switch error.code {
            case .unknownPolicy, .unreadablePolicy:
                "`trajectory train-behavior` and `train-policy` write policies"
            default: nil
            }
        case let error as BehaviorError where error.code == .unrecordedPolicy:
            "`trajectory train-behavior`"
        case let error as LearningError where error.code == .unreadableCritic:
            "`trajectory train-critic` writes one"
        case let error as LearningError where error.code == .unreadableDynamics:
            "`trajectory train-dynamics` writes one"
        case let error as AgentError:
            switch error.code {
            case .otherGoals:
                "--goal-columns " + error.goalColumns.map(String.init).joined(separator: ",")
            case .noGoals, .unobservedGoals: "that is, without --goal-columns"
            case .otherLayout: nil
            }
        case let error as DatasetMismatch where error.code != .otherModel: "--env"
        default: nil
        }
    }
}
