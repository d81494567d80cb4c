import ArgumentParser
import Datasets
import Foundation

/// The root of the command line.
@main
struct TrajectoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trajectory",
        abstract: "Offline reinforcement learning as one big sequence modelling problem.",
        discussion: """
            Results go to standard output, progress and errors to standard error. An error is one \
            line that begins with "error:"; after wrong usage, how the command is called follows.

            Exit codes: 0 success, 1 failure (a bad file, a full disk and the like), 64 wrong usage.
            """,
        version: "0.1.0",
        subcommands: [
            CollectCommand.self, TrainCommand.self, EvaluateCommand.self, DatasetCommand.self,
            EnvironmentsCommand.self,
            TrainBehaviorCommand.self, TrainPolicyCommand.self, TrainCriticCommand.self,
            TrainDynamicsCommand.self, PredictCommand.self, AttentionCommand.self,
            PlotCommand.self, BenchmarkCommand.self, DemoCommand.self,
            RenderCommand.self, ExperimentCommand.self,
        ])

    static func main() async {
        DatasetReader.serveIfAsked()
        let arguments = Array(CommandLine.arguments.dropFirst())
        do {
            if let option = RepeatedOption.first(in: arguments) {
                throw ValidationError(
                    "\(option) was given twice with different values; give it once")
            }
            var command = try parseAsRoot(arguments)
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            // Help, wrong usage and codes that a command chose are the parser's to report.
            let code = exitCode(for: error)
            if code == .validationFailure {
                let text = UsageText.of(fullMessage(for: error), arguments)
                FileHandle.standardError.write(Data((text + "\n").utf8))
                Foundation.exit(code.rawValue)
            }
            guard !code.isSuccess, !(error is ExitCode) else { exit(withError: error) }
            FileHandle.standardError.write(Data("error: \(oneLine(error))\n".utf8))
            Foundation.exit(EXIT_FAILURE)
        }
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
