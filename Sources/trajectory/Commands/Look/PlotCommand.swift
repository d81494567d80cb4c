import ArgumentParser
import Foundation
import Rendering
import Training

/// `trajectory plot`: the learning curve of a run as a picture.
struct PlotCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plot",
        abstract: "Draw the learning curve of a training run.",
        discussion: """
            Example:
              trajectory plot --run runs/hopper --output learning-curve.png
            """)

    @Option(name: .customLong("run"), help: "The run folder.", completion: .directory)
    var folder: String

    @Option(help: "Picture to write (png or svg).", completion: .file(extensions: ["png", "svg"]))
    var output: String

    func run() async throws {
        let reports: [TrainingProgress]
        do {
            reports = try MetricsLog.read(directory: URL(fileURLWithPath: folder))
        } catch {
            throw CommandError(
                description: "cannot read '\(folder)/metrics.csv': give the output folder of "
                    + "'trajectory train'")
        }
        guard !reports.isEmpty else {
            throw CommandError(
                description: "there is no line in '\(folder)/metrics.csv'; train for a while first")
        }
        let heldOut = reports.filter { $0.heldOutLoss != nil }
        let plot = Plot(
            title: "Learning curve", xLabel: "training tokens (millions)",
            yLabel: "weighted cross entropy",
            series: [
                Plot.Series(
                    "training", x: reports.map { Double($0.tokens) / 1e6 },
                    y: reports.map(\.loss)),
                Plot.Series(
                    "held-out episodes", x: heldOut.map { Double($0.tokens) / 1e6 },
                    y: heldOut.compactMap(\.heldOutLoss)),
            ])
        try plot.write(to: URL(fileURLWithPath: output))
    }
}
