import ArgumentParser
import Foundation
import Tokenization
import Training
import Trajectories
import Transformer

extension BenchmarkShape {
    /// The paper's configuration for this environment: ten transitions of context.
    var configuration: TransformerConfiguration {
        switch self {
        case .hopper:
            TransformerConfiguration(
                layout: TransitionLayout(observationDimension: 11, actionDimension: 3))
        case .halfcheetah:
            TransformerConfiguration(
                layout: TransitionLayout(observationDimension: 17, actionDimension: 6))
        }
    }
}

/// `trajectory benchmark train`: tokens per second of full training steps.
struct BenchmarkTrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Time full training steps: forward, backward, clipping, AdamW.",
        discussion: """
            The model has the paper's size (4 layers, 4 heads, width 128, ten transitions of \
            context), dropout 0.1, random weights and random tokens.

            --profile splits a step into its parts: microseconds a token of one core's time, and \
            the speed at which the part's products are computed, beside what oneDNN reaches with \
            the same shapes when all its operands are in the cache.
            """)

    @Option(
        help:
            "The shape of a transition: \(BenchmarkShape.allValueStrings.joined(separator: ", ")).")
    var shape: BenchmarkShape = .hopper

    @Option(help: "Windows in a batch.")
    var batch = 32

    @Option(help: "Timed steps; the median counts.")
    var steps = 15

    @Option(help: "Worker threads; as many as cores when not given.")
    var workers: Int?

    @Option(
        help: ArgumentHelp(
            "Windows a worker passes through the model together.", visibility: .hidden))
    var sequencesPerPass = 4

    @Flag(help: "Say where the time goes, and how fast oneDNN multiplies on this machine.")
    var profile = false

    @Flag(help: "Print the result as JSON.")
    var json = false

    func validate() throws {
        guard batch > 0, steps > 0, workers ?? 1 > 0, sequencesPerPass > 0 else {
            throw ValidationError("--batch, --steps and --workers must be positive")
        }
    }

    func run() async throws {
        let configuration = shape.configuration
        let model = TrajectoryTransformer(configuration, seed: 0)
        let length = configuration.contextLength
        var generator = SystemRandomNumberGenerator()
        var data = TokenBatch(rows: batch, length: length)
        for index in data.inputs.indices {
            data.inputs[index] = Int32.random(in: 0..<100, using: &generator)
            data.targets[index] = Int32.random(in: 0..<100, using: &generator)
        }
        let stepper = TrainingStep(
            model, windowLength: length, workers: workers, sequencesPerPass: sequencesPerPass)
        var seconds: [Double] = []
        for step in 0..<(steps + 2) {
            let duration = ContinuousClock().measure {
                _ = stepper.run(data, rate: 1e-4, dropoutStream: UInt64(step))
            }
            if step >= 2 { seconds.append(Console.seconds(duration)) }
            if step == 1, profile { stepper.isProfiling = true }
        }
        let median = seconds.sorted()[seconds.count / 2]
        var result = TrainingSpeed(
            shape: shape.rawValue, batch: batch, tokensPerStep: batch * length,
            secondsPerStep: median, tokensPerSecond: Double(batch * length) / median)
        if profile {
            result.profile = StepReport(
                stepper.profile, configuration, steps: steps, windows: batch, length: length,
                workers: workers)
        }
        if json {
            try Console.printJSON(result)
        } else {
            print(
                "\(shape.rawValue), batch \(batch): "
                    + "\(Int(result.tokensPerSecond)) tokens/s "
                    + "(\(String(format: "%.1f", median * 1e3)) ms a step of "
                    + "\(result.tokensPerStep) tokens, median of \(steps))")
            if let profile = result.profile { print(profile.table) }
        }
    }
}

private struct TrainingSpeed: Encodable {
    let shape: String
    let batch: Int
    let tokensPerStep: Int
    let secondsPerStep: Double
    let tokensPerSecond: Double
    var profile: StepReport?

    enum CodingKeys: String, CodingKey {
        case shape, batch, profile
        case tokensPerStep = "tokens_per_step"
        case secondsPerStep = "seconds_per_step"
        case tokensPerSecond = "tokens_per_second"
    }
}
