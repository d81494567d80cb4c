import ArgumentParser
import Foundation

/// Where a learning curve also goes.
struct TensorBoardOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Also write the learning curve as TensorBoard's events into this folder.",
            discussion: "It may be the run's own; tensorboard --logdir shows it as it grows.",
            valueName: "folder"),
        completion: .directory)
    var tensorboard: String?

    /// The folder, if one is given.
    var folder: URL? { tensorboard.map { URL(fileURLWithPath: $0) } }
}
