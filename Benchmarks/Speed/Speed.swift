import ArgumentParser
import Foundation
import OneDNN
import Tensors

/// What oneDNN reaches on this machine with the shapes of a training step: the measure that
/// `trajectory benchmark train --profile` is to be read against.
@main
struct Speed: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "speed",
        abstract: "Time oneDNN's products at the shapes of a feed-forward layer.",
        discussion: """
            GFLOP/s of one core in the six products of a block's feed-forward layers, forward and \
            backward, while every worker computes them on operands that stay in its cache. The \
            defaults are the model of `trajectory benchmark train`: Hopper's windows of 159 \
            tokens, width 128.

            Keys of the JSON object: onednn_gigaflops, rows, width, workers.
            """)

    @Option(help: "Rows of a product: tokens of a window.")
    var rows = 159

    @Option(help: "Channels of the residual stream; the hidden layer has four times as many.")
    var width = 128

    @Option(help: "Worker threads; as many as cores when not given.")
    var workers: Int?

    @Flag(help: "Print a JSON object.")
    var json = false

    func validate() throws {
        guard rows > 0, width > 0, workers ?? 1 > 0 else {
            throw ValidationError("--rows, --width and --workers must be positive")
        }
    }

    func run() throws {
        let pool = workers.map(WorkerPool.init(count:)) ?? .shared
        let gigaflops = ceiling(pool)
        if json {
            print(
                """
                {"onednn_gigaflops": \(gigaflops), "rows": \(rows), "width": \(width), \
                "workers": \(pool.count)}
                """)
        } else {
            print(String(format: "oneDNN, same shapes, operands in cache: %.1f", gigaflops))
        }
    }

    private func ceiling(_ pool: WorkerPool) -> Double {
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
            ContinuousClock().measure { pool.run(multiplyAll) } / .seconds(1)
        }
        withExtendedLifetime(storage) {}
        let operations = 6 * 2 * Double(rows * hidden * width)
        return operations / times.sorted()[times.count / 2] * 1e-9
    }
}
