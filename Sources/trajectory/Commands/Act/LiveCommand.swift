import ArgumentParser
import Engines
import Foundation
import Transformer

/// `trajectory live`: hands over to the program of the live page, of a package of its own.
struct LiveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "live",
        abstract: "Watch a trained model plan, on a page of this machine.",
        discussion: """
            Prints the address of a page, and opens it where there is a desktop. The page shows \
            the robot under the planner's control, the plan ahead and the beams beside it, \
            predicted and received rewards; it changes the search, pushes the robot, and in a \
            maze a click sets the goal (docs/live.md). `make server` builds the program. It \
            listens to this machine alone and ends at Ctrl-C.

            Examples:
              trajectory live Checkpoints/hopper
              trajectory live runs/maze --env pointmaze-umaze --horizon 20 --beam-width 32
              trajectory live runs/hopper --objective q --critic critic.safetensors --paused
            """)

    @Argument(help: "Folder of the trained model.", completion: .directory)
    var checkpoint: String

    @OptionGroup var environment: EnvironmentOption

    @Option(help: "The port to listen on; 0 takes a free one, which is printed.")
    var port = 8001

    @Option(help: "Seed of the first episode; the others have the numbers after it.")
    var seed: UInt64 = 0

    @Flag(help: "Wait for Run or Step on the page.")
    var paused = false

    @Flag(help: "Open no browser.")
    var noBrowser = false

    @OptionGroup(title: "Engine Options") var engine: EngineOptionsGroup

    @OptionGroup(title: "Planner Options") var planner: PlannerOptionsGroup

    func validate() throws {
        guard 0...65535 ~= port else {
            throw ValidationError("--port must be from 0 to 65535, found \(port)")
        }
        guard !planner.warmStart else {
            throw ValidationError("--warm-start is not for the live page, which changes searches")
        }
    }

    func run() throws {
        var arguments = [
            try Checkpoint.url(named: checkpoint).path, "--port", "\(port)", "--seed", "\(seed)",
            "--device", engine.device.rawValue, "--precision", engine.precision.rawValue,
            "--planner", try planner.json,
        ]
        if let name = environment.name { arguments += ["--env", name] }
        if let critic = planner.critic { arguments += ["--critic", critic] }
        if paused { arguments.append("--paused") }
        if noBrowser { arguments.append("--no-browser") }
        try Handover.exec("trajectory-live", arguments)
    }
}
