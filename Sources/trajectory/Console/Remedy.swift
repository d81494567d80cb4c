import Agents
import Behavior
import CUDA
import Datasets
import Environments
import Evaluation
import Experiments
import Figures
import Jobs
import Learning
import Planning
import Policies
import Processes
import Tokenization
import Training
import Transformer

/// What to type about an error of a library, which knows no commands.
enum Remedy {
    /// The remedy for an error; nil where its text says all.
    static func text(for error: any Error) -> String? {
        switch error {
        case let error as EnvironmentError where error.code == .unknownName:
            error.environment.hasSuffix(")") ? "--env" : "`trajectory environments` lists all"
        case let error as PolicyError:
            switch error.code {
            case .unknownPolicy, .unreadablePolicy:
                "`trajectory train-behavior` and `train-policy` write policies"
            default: nil
            }
        case let error as BehaviorError where error.code == .unrecordedPolicy:
            "`trajectory train-behavior`"
        case let error as CUDAError where error.code == .outOfMemory: "a smaller --capacity"
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
        case let error as DatasetError: text(for: error)
        case let error as PlannerOptionsError: PlannerOptionsGroup.optionName(error.option)
        case let error as DatasetMismatch where error.code == .joinedGoals:
            "--observation-keys observation"
        case let error as DatasetMismatch where error.code != .otherModel: "--env"
        case let error as JobError: text(for: error.code)
        case let error as FigureError: text(for: error.code)
        case let error as SettingsError where error.code != .unreadable:
            "`trajectory train --print-config` shows all"
        case let error as TrainingError: text(for: error.code)
        case let error as CheckpointError where error.code == .missing:
            "the output folder of `trajectory train`"
        case let error as TokenFileError:
            switch error.code {
            case .foreign, .version, .damaged: "`trajectory dataset tokenize`"
            case .unreadable, .empty, .unwritable: nil
            }
        case let error as ProcessGroupError where error.code == .unavailable:
            "`make mpi` compiles it, see docs/clusters.md"
        case let error as ExperimentError where error.code == .program: "leave out --python"
        default: nil
        }
    }

    private static func text(for error: DatasetError) -> String? {
        switch error.code {
        case .missingField where error.field == "timeouts":
            "--no-time-limit, or --max-episode-length"
        case .unusedOption where error.field == nil: "leave out --drop-last-row or --no-time-limit"
        case .unusedOption: "leave out --no-time-limit"
        case .external: "--follow-external"
        default: nil
        }
    }

    private static func text(for code: TrainingError.Code) -> String? {
        switch code {
        case .runExists: "--resume, or another --output"
        case .noRun: "leave out --resume to begin one"
        case .diverged: "--learning-rate"
        case .unusableInitial: "--initial"
        case .unusableOptions, .goalMismatch, .noWindows, .otherRun, .noOptimizerState,
            .processesDiffer:
            nil
        }
    }

    private static func text(for code: JobError.Code) -> String? {
        switch code {
        case .noEnvironment: "--env"
        case .noGoal: "leave out --until-goal"
        case .noMaze: "leave out --paths"
        case .settledReading: "give them to 'trajectory dataset tokenize'"
        case .noHeldOutEpisode: "--video-episode"
        case .noWindow: "--episode, --row"
        case .noReport: "`trajectory evaluate --json` prints it"
        case .paused: "--resume"
        case .runExists: "--resume, or another --output"
        case .unknownHeads: "--heads"
        case .unknownLayout: "--data, --action-dimension"
        case .unknownBins: "--data, --discretizer"
        case .noSimulation, .unwritable, .stopped, .tokenFile, .unsuitableData, .mismatch, .noRun,
            .invalidSetting:
            nil
        }
    }

    private static func text(for code: FigureError.Code) -> String? {
        switch code {
        case .noEpisode: "--episode"
        case .noStep: "--first-step"
        case .unobservable: "draw a policy, or a checkpoint without --plans"
        case .tooFewDimensions: "--observation-dimensions"
        case .noPlan: "--horizon, --maximum-steps"
        case .noMaze: nil
        }
    }
}
