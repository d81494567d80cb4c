import Tokenization
import Training
import Transformer

/// What to type about an error of a run, a checkpoint or a token file, whose libraries know no commands.
enum RunRemedy {
    /// The remedy for an error; nil where its text says all.
    static func text(for error: any Error) -> String? {
        switch error {
        case let error as TrainingError:
            switch error.code {
            case .runExists: "--resume, or another --output"
            case .noRun: "leave out --resume to begin one"
            case .diverged: "--learning-rate"
            case .unusableOptions, .goalMismatch, .noWindows, .otherRun, .noOptimizerState: nil
            }
        case let error as CheckpointError where error.code == .missing:
            "the output folder of `trajectory train`"
        case let error as TokenFileError:
            switch error.code {
            case .foreign, .version, .damaged: "`trajectory dataset tokenize`"
            case .unreadable, .empty, .unwritable: nil
            }
        default: nil
        }
    }
}
