import ArgumentParser
import Bounds
import Foundation
import Jobs
import Tokenization
import TorchCheckpoints

/// `trajectory import-torch`: from PyTorch's states to a checkpoint.
struct ImportTorchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import-torch",
        abstract: "Make a checkpoint of a PyTorch state of a Trajectory Transformer.",
        discussion: """
            Reads the state_*.pt of the authors' code with the model_config.pkl and data_config.pkl \
            beside it, if any, and states and discretizer.pt of the Faster Trajectory Transformer. \
            Nothing in them is run: a file that asks for more than tensors and arrays is refused by \
            name. The authors keep no bins in a file; they are fitted as their code does, to the \
            data that the model was trained on (--data).

            Examples:
              trajectory import-torch logs/hopper-medium-v2/gpt/pretrained/state_40.pt --data \
            hopper_medium-v2.hdf5 --output runs/authors
              trajectory import-torch model_last.pt --discretizer discretizer.pt --heads 4 \
            --action-dimension 3 --env hopper --output runs/faster

            Keys of the JSON object: input, output, layout, layers, heads, width, bins, \
            context_transitions, observation_dimension, action_dimension, environment, notes.
            """)

    @Argument(help: "The state: what torch.save wrote.", completion: .file())
    var state: String

    @Option(help: "The dataset that the model was trained on.", completion: .file())
    var data: String?

    @Option(help: "The folder of the checkpoint.", completion: .directory)
    var output: String

    @Option(
        help: "The Faster Trajectory Transformer's bins; discretizer.pt beside the state if any.",
        completion: .file())
    var discretizer: String?

    @Option(help: "Attention heads; model_config.pkl's when not given.")
    var heads: Int?

    @Option(help: "Action dimensions; those of --data or model_config.pkl when not given.")
    var actionDimension: Int?

    @Option(help: "Factor of a reward for each step it lies ahead; data_config.pkl's, or 0.99.")
    var discount: Double?

    @Option(help: "Edges of fitted bins: quantile or uniform; data_config.pkl's, or quantile.")
    var binEdges: Discretizer.Strategy?

    @OptionGroup var penalty: PenaltyOptions

    @OptionGroup var environment: EnvironmentOption

    @OptionGroup(title: "Reading Options") var reading: DatasetReadingOptions

    @Flag(help: "Print a JSON object.")
    var json = false

    func validate() throws {
        try require(.heads, ["--heads": heads])
        try require(.dimension, ["--action-dimension": actionDimension])
        if let discount, !(0...1).contains(discount) {
            throw ValidationError("--discount must lie in [0, 1], found \(discount)")
        }
        try GivenOptions.here.refuse(
            DatasetReadingOptions.names, unless: data != nil, "is for --data")
    }

    func run() async throws {
        var job = TorchImportJob(
            state: URL(fileURLWithPath: state), output: URL(fileURLWithPath: output))
        job.dataset = data.map { URL(fileURLWithPath: $0) }
        job.discretizer = discretizer.map { URL(fileURLWithPath: $0) }
        job.headCount = heads
        job.actionDimension = actionDimension
        job.discount = discount
        job.strategy = binEdges
        job.terminationPenalty = penalty.penalty
        job.environment = environment.name
        job.reading = reading.options
        let result = try job.run(note: Console.progress)
        try Console.report(
            result, json: json,
            text: "\(output): \(result.layers) layers, \(result.heads) heads, width "
                + "\(result.width), \(result.bins) bins, \(result.observationDimension) + "
                + "\(result.actionDimension) dimensions (\(result.layout.rawValue))")
    }
}
