import ArgumentParser
import Engines
import Foundation
import Transformer

/// `trajectory serve`: hands over to the policy server, a program of a package of its own.
struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve the plans of a trained model to clients, by WebSocket and by HTTP.",
        discussion: """
            Speaks openpi's WebSocket protocol, so that openpi-client of PyPI is a client, and the \
            Open Inference Protocol (HTTP and JSON) on the same port; docs/serving.md tells more. \
            `make server` builds the server. It ends at SIGTERM and SIGINT, when what was asked \
            is answered, and at a second one at once.

            Every plan is made anew: --replan-interval is what clients are advised to follow of \
            one. Options of the server beyond those here stand after --; `-- --help` lists them.

            Examples:
              trajectory serve Checkpoints/hopper
              trajectory serve runs/hopper --deadline-ms 20 --port 8000
              trajectory serve runs/hopper --device cuda --precision fast
              trajectory serve runs/hopper --host 0.0.0.0 --api-key-file key.txt -- --connections 16
            """)

    @Argument(help: "Folder of the trained model.", completion: .directory)
    var checkpoint: String

    @Option(help: "The address to listen on; others than this machine's demand an API key.")
    var host = "127.0.0.1"

    @Option(help: "The port to listen on; 0 takes a free one, which is printed.")
    var port = 8000

    @Option(
        help: """
            A file whose first line is the key that clients must send; the environment variable \
            TRAJECTORY_API_KEY may hold it instead.
            """)
    var apiKeyFile: String?

    @OptionGroup(title: "Engine Options") var engine: EngineOptionsGroup

    @OptionGroup(title: "Planner Options") var planner: PlannerOptionsGroup

    @Argument(
        parsing: .postTerminator,
        help: ArgumentHelp("Options of the server: limits, log.", valueName: "server-option"))
    var others: [String] = []

    func validate() throws {
        guard 0...65535 ~= port else {
            throw ValidationError("--port must be from 0 to 65535, found \(port)")
        }
        guard !planner.warmStart else {
            throw ValidationError(
                "--warm-start is for one episode at a time: a server makes each plan by itself")
        }
    }

    func run() throws {
        var arguments = [
            try Checkpoint.url(named: checkpoint).path, "--host", host, "--port", "\(port)",
            "--device", engine.device.rawValue, "--precision", engine.precision.rawValue,
            "--planner", try planner.json,
        ]
        if let apiKeyFile { arguments += ["--api-key-file", apiKeyFile] }
        if let critic = planner.critic { arguments += ["--critic", critic] }
        try Handover.exec("trajectory-server", arguments + others)
    }
}
