import ArgumentParser
import CUDA
import Foundation
import Training
import Transformer
import TransformerCUDA

/// `trajectory-device benchmark`: how fast a card trains and plans, and how far that is from its
/// limits.
struct BenchmarkCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "benchmark",
        abstract: "Time training, planning and soft actor-critic on the card.",
        discussion: """
            Models have the paper's size and random weights, batches random tokens. Ceilings are \
            measured first: a large copy (bytes read and written) and products alone.
            """)

    /// What is timed.
    enum Part: String, CaseIterable, ExpressibleByArgument {
        case ceilings, calls, plans, training, sac
    }

    @OptionGroup var device: DeviceOptions

    @Option(parsing: .upToNextOption, help: "What to time; everything where not given.")
    var parts: [Part] = Part.allCases

    @Option(parsing: .upToNextOption, help: "exact, fast, or both where not given.")
    var precisions: [Precision] = Precision.allCases

    @Option(parsing: .upToNextOption, help: "Episodes that plan together.")
    var episodes = [1, 16, 128]

    @Option(parsing: .upToNextOption, help: "Blocks that share rows in timed calls.")
    var blocks = [4]

    @Option(parsing: .upToNextOption, help: "Windows in a batch.")
    var batches = [32, 256, 2048]

    @Option(
        parsing: .upToNextOption,
        help: "What parameters learn by: adamw, muon, or both where not given.")
    var optimizers = TrainingOptions.Optimizer.allCases

    @Option(help: "Timed plans; the median counts.")
    var plans = 5

    @Option(parsing: .upToNextOption, help: "Robots whose sizes soft actor-critic has.")
    var sizes = SoftActorCriticSpeed.Sizes.allCases

    @Option(help: "Seconds that updates of soft actor-critic are timed for, of each size.")
    var seconds = 2.0

    @Option(help: "Where to write all figures as JSON.", completion: .file())
    var json: String?

    func run() async throws {
        let device = try device.open()
        var report = BenchmarkReport(
            device: device.name, architecture: device.architecture,
            driver: device.driverVersion, compiler: device.compiler.version)
        print("\(device.name), \(device.compiler.version)")
        if parts.contains(.ceilings) {
            report.ceilings = try DeviceCeilings(measuredOn: device)
            report.ceilings.map { print($0) }
        }
        for precision in precisions where parts.contains(.calls) {
            for blocks in self.blocks {
                for speed in try CallSpeed.measure(
                    on: device, precision: precision, blocks: blocks)
                {
                    print(speed)
                    report.calls.append(speed)
                }
            }
        }
        for precision in precisions where parts.contains(.plans) {
            for shape in DeviceShape.allCases {
                for count in episodes {
                    let speed = try PlanSpeed(
                        on: device, shape: shape, precision: precision, episodes: count,
                        plans: count > 16 ? min(plans, 2) : plans)
                    print(speed)
                    report.plans.append(speed)
                }
            }
        }
        for precision in precisions where parts.contains(.training) {
            for shape in DeviceShape.allCases {
                for batch in batches {
                    let speeds = try optimizers.map {
                        try TrainingSpeed(
                            on: device, shape: shape, precision: precision, batch: batch,
                            optimizer: $0)
                    }
                    for speed in speeds { print("\(speed)\(speed.beside(speeds[0]))") }
                    report.training += speeds
                }
            }
        }
        for sizes in self.sizes where parts.contains(.sac) {
            let speed = try SoftActorCriticSpeed(on: device, sizes: sizes, seconds: seconds)
            print(speed)
            report.softActorCritic.append(speed)
        }
        if let json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            encoder.keyEncodingStrategy = .convertToSnakeCase
            try encoder.encode(report).write(to: URL(fileURLWithPath: json))
        }
    }
}

/// All figures of a benchmark, with what they were measured on.
struct BenchmarkReport: Encodable {
    var device: String
    var architecture: String
    var driver: Int
    var compiler: String
    var ceilings: DeviceCeilings?
    var calls: [CallSpeed] = []
    var plans: [PlanSpeed] = []
    var training: [TrainingSpeed] = []
    var softActorCritic: [SoftActorCriticSpeed] = []
}
