import ArgumentParser
import Datasets
import Experiments
import Files
import Foundation
import Jobs
import Release
import Signals

/// The root of the command line.
@main
struct TrajectoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trajectory",
        abstract: "Offline reinforcement learning as one big sequence modelling problem.",
        discussion: """
            Results go to standard output, progress and errors to standard error. An error is one \
            line that begins with "error:"; after wrong usage, how the command is called follows.

            Exit codes: 0 success, 1 failure (a bad file, a full disk and the like), 64 wrong usage, \
            128 + N stopped by signal N. Commands that take long finish their step at SIGINT \
            (Ctrl-C), SIGTERM and SIGHUP, save what they have and say how to go on; a second signal \
            ends them at once.
            """,
        version: Release.version,
        subcommands: [
            CollectCommand.self, TrainCommand.self, EvaluateCommand.self, CompareCommand.self,
            SelectCommand.self, LiveCommand.self, ServeCommand.self,
            DatasetCommand.self, EnvironmentsCommand.self,
            TrainBehaviorCommand.self, TrainPolicyCommand.self, TrainCriticCommand.self,
            TrainDynamicsCommand.self, PredictCommand.self, AttentionCommand.self,
            PlotCommand.self, BenchmarkCommand.self, DemoCommand.self,
            RenderCommand.self, ReportCommand.self, ExperimentCommand.self, ImportTorchCommand.self,
            ExportTorchCommand.self,
        ])

    static func main() async {
        Console.holdStreams()
        DatasetReader.serveIfAsked()
        let arguments = Array(CommandLine.arguments.dropFirst())
        // A file may not grow further than this: an error of writing, not the end.
        signal(SIGXFSZ, SIG_IGN)
        do {
            try Together.join()
            if let option = RepeatedOption.first(in: arguments) {
                throw ValidationError(
                    "\(option) was given twice with different values; give it once")
            }
            var command = try parseAsRoot(arguments)
            try Together.require(command)
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            Together.leave()
        } catch {
            // Help, wrong usage and codes that a command chose are the parser's to report.
            let code = exitCode(for: error)
            if code.isSuccess { printOrFail(fullMessage(for: error)) }
            if code == .validationFailure {
                Console.progress(UsageText.of(fullMessage(for: error), arguments))
                Together.leave()
                Foundation.exit(code.rawValue)
            }
            guard !(error is ExitCode) else { exit(withError: error) }
            if let number = Signals.received, isStop(error) {
                Console.progress(oneLine(error))
                Together.leave()
                Foundation.exit(128 + number)
            }
            Together.fail(oneLine(error))
        }
    }

    /// Ends the program with a text that was asked for, such as help.
    private static func printOrFail(_ text: String) -> Never {
        do {
            try Console.print(text)
            Together.leave()
            Foundation.exit(EXIT_SUCCESS)
        } catch {
            Console.progress("error: \(error)")
            Foundation.exit(EXIT_FAILURE)
        }
    }

    /// Whether a command has ended since it was told to, and says what it kept.
    private static func isStop(_ error: any Error) -> Bool {
        let code = (error as? JobError)?.code
        return code == .stopped || code == .paused
            || (error as? ExperimentError)?.code == .stopped
    }

    /// What went wrong, in one line.
    private static func oneLine(_ error: any Error) -> String {
        let text =
            switch error {
            case is CocoaError, is POSIXError: error.localizedDescription
            case let error as any LocalizedError: error.errorDescription ?? "\(error)"
            default: "\(error)"
            }
        let line = text.split(whereSeparator: \.isNewline).joined(separator: " ")
        return line + (Remedy.text(for: error).map { " (\($0))" } ?? "")
    }
}
