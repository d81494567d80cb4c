import Evaluation
import Jobs

extension EvaluateCommand {
    /// Says now and then how far an evaluation is.
    struct Lines {
        private var pace = Pace(every: .seconds(5))
        mutating func show(_ event: JobEvent<EvaluationJob.Progress>) {
            switch event {
            case .note(let line): Console.progress(line)
            case .progress(let progress):
                if pace.due() != nil { Console.progress(progress.line) }
            }
        }
    }
}
