import Foundation
import OneDNN
import Tensors
import Transformer
import TransformerCPU

/// A profile of training steps as figures for people and programs.
struct StepReport: Encodable {
    /// One part of the step, or all of it.
    struct Part: Encodable {
        let name: String
        /// Time of one core for one token.
        let microsecondsPerToken: Double
        let share: Double
        /// Speed of one core at the part's products; nil where there are none.
        let gigaflops: Double?

        enum CodingKeys: String, CodingKey {
            case name, share, gigaflops
            case microsecondsPerToken = "microseconds_per_token"
        }
    }

    let parts: [Part]
    let total: Part
    /// What oneDNN reaches on one core while all cores compute.
    let oneDNNGigaflops: Double

    enum CodingKeys: String, CodingKey {
        case parts, total
        case oneDNNGigaflops = "onednn_gigaflops"
    }

    init(
        _ profile: StepProfile, _ configuration: TransformerConfiguration, steps: Int, windows: Int,
        length: Int, workers: Int?
    ) {
        let sequences = Double(steps * windows)
        func part(_ name: String, _ seconds: Double, _ operations: Double) -> Part {
            Part(
                name: name, microsecondsPerToken: 1e6 * seconds / (sequences * Double(length)),
                share: seconds / profile.total,
                gigaflops: operations > 0 ? operations * sequences / seconds * 1e-9 : nil)
        }
        let operations = StepProfile.Part.allCases.map {
            ($0, $0.operations(configuration, length: length))
        }
        parts = operations.map { part($0.rawValue, profile.seconds[$0] ?? 0, $1) }
        total = part("total", profile.total, operations.reduce(0) { $0 + $1.1 })
        oneDNNGigaflops = Self.ceiling(
            pool: workers.map { WorkerPool(count: $0) } ?? WorkerPool.shared, rows: length,
            width: configuration.embeddingWidth)
    }

    var table: String {
        func line(_ part: Part) -> String {
            part.name.padding(toLength: 20, withPad: " ", startingAt: 0)
                + String(format: "%9.2f %8.1f %%", part.microsecondsPerToken, 100 * part.share)
                + (part.gigaflops.map { String(format: "%11.1f", $0) } ?? "")
        }
        let heading = "one core's time      us/token    share    GFLOP/s"
        return
            ([heading] + parts.map { line($0) } + [line(total)]
            + [String(format: "oneDNN, same shapes, operands in cache: %.1f", oneDNNGigaflops)])
            .joined(separator: "\n")
    }

    /// GFLOP/s of one core in the six products of a block's feed-forward layers, forward and backward,
    /// while every worker computes them on operands that stay in its cache.
    private static func ceiling(pool: WorkerPool, rows: Int, width: Int) -> Double {
        let hidden = 4 * width
        // As in training, rows lie apart from powers of two.
        let storage = (0..<pool.count).map { _ in
            [width + 16, hidden + 16, width].map { FloatStorage(count: max(rows, hidden) * $0) }
        }
        let operands = storage.map { owned in
            (
                narrow: owned[0].matrix(columns: width + 16).prefix(rows: rows, columns: width),
                wide: owned[1].matrix(columns: hidden + 16).prefix(rows: rows, columns: hidden),
                weight: owned[2].matrix(columns: width).rows(0..<hidden)
            )
        }
        func multiplyAll(_ worker: Int) {
            let (narrow, wide, weight) = operands[worker]
            for _ in 0..<2 {
                OneDNN.multiply(narrow, weight, into: wide, transposingB: true)
                OneDNN.multiply(wide, weight, into: narrow)
                OneDNN.multiply(wide, narrow, into: weight, transposingA: true)
            }
        }
        pool.run(multiplyAll)
        let times = (0..<21).map { _ in
            Console.seconds(ContinuousClock().measure { pool.run(multiplyAll) })
        }
        withExtendedLifetime(storage) {}
        let operations = 6 * 2 * Double(rows * hidden * width)
        return operations / times.sorted()[times.count / 2] * 1e-9
    }
}
