import ArgumentParser
import Bounds
import Foundation
import Jobs

/// `trajectory export-torch`: a checkpoint for the authors' code.
struct ExportTorchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export-torch",
        abstract: "Write a checkpoint as the authors' PyTorch code loads it.",
        discussion: """
            The folder has state_N.pt, which torch.load and load_state_dict(strict=True) take, \
            model_config.pkl, and with --dataset-name data_config.pkl. The authors' code fits its \
            bins anew from the D4RL data of that name; plans agree where the model was trained on \
            the same rows, with quantile bins.

            Examples:
              trajectory export-torch --checkpoint runs/hopper --dataset-name hopper-medium-v2 \
            --output logs/hopper-medium-v2/gpt/ours

            Keys of the JSON object: checkpoint, output, files, parameters, notes.
            """)

    @Option(help: "The folder of a run, or its checkpoint.json.", completion: .file())
    var checkpoint: String

    @Option(help: "The folder to write.", completion: .directory)
    var output: String

    @Option(help: "D4RL's name of the data, such as hopper-medium-v2.")
    var datasetName: String?

    @Option(help: "The number in the state's name; the checkpoint's step when not given.")
    var epoch: Int?

    @Flag(help: "Print a JSON object.")
    var json = false

    func validate() throws {
        try require(.progress, ["--epoch": epoch])
    }

    func run() async throws {
        var job = TorchExportJob(
            checkpoint: URL(fileURLWithPath: checkpoint), output: URL(fileURLWithPath: output))
        job.datasetName = datasetName
        job.epoch = epoch
        let result = try job.run(note: Console.progress)
        try Console.report(
            result, json: json,
            text: "\(output): \(result.files.joined(separator: ", ")) "
                + "(\(result.parameters) parameters)")
    }
}
