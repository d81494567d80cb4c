import ArgumentParser
import Foundation
import Jobs

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

    @OptionGroup var picture: ChartOutput

    func run() async throws {
        try LearningCurveJob(of: URL(fileURLWithPath: folder), output: picture.url).run()
    }
}
