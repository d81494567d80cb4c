public import ArgumentParser
public import Jobs

/// `trajectory benchmark`: speed measurements with fixed shapes and random weights.
struct BenchmarkCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "benchmark",
        abstract: "Measure training and planning speed on random weights and tokens.",
        discussion: """
            Run on an otherwise idle machine; figures are medians over repeated runs after a \
            warm-up.

            Examples:
              trajectory benchmark train --shape hopper
              trajectory benchmark plan --shape halfcheetah --horizon 5 --beam-width 32 --json
            """,
        subcommands: [
            BenchmarkTrainCommand.self, BenchmarkPlanCommand.self, BenchmarkDeadlinesCommand.self,
            BenchmarkEnvironmentsCommand.self, BenchmarkActorCriticCommand.self,
        ])
}

extension BenchmarkShape: ExpressibleByArgument {}
