import ArgumentParser
import Environments
import Foundation
import Live
import LiveServer
import Logging
import ModelArguments
import ServiceLifecycle
import Transformer
import UnixSignals

/// The program that shows a trained model at work.
@main
struct TrajectoryLive: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trajectory-live",
        abstract: "Watch a trained model plan, on a page of this machine.",
        discussion: "`trajectory live CHECKPOINT` starts this program with a search of its options."
    )

    @OptionGroup var model: ModelArguments

    @Option(name: .customLong("env"), help: "Environment; the checkpoint's if not given.")
    var environment: String?

    @Option(help: "The port to listen on; 0 takes a free one, which is printed.")
    var port = 8001

    @Option(help: "Seed of the first episode; the others have the numbers after it.")
    var seed: UInt64 = 0

    @Flag(help: "Wait for Run or Step on the page.")
    var paused = false

    @Flag(help: "Open no browser.")
    var noBrowser = false

    func run() async throws {
        do {
            try await serve()
        } catch {
            FileHandle.standardError.write(Data("error: \(error)\n".utf8))
            throw ExitCode.failure
        }
    }

    private func serve() async throws {
        let logger = Logger(label: "trajectory-live") { _ in SwiftLogNoOpLogHandler() }
        let session = try session()
        let opens = !noBrowser
        let title = "\(session.scene.checkpoint) in \(session.scene.environment)"
        let server = LiveServer(
            session, isRunning: !paused, port: port, logger: logger
        ) { port in
            let address = "http://\(LiveServer.host):\(port)"
            print("\(title), live on \(address)")
            fflush(nil)
            if opens { Self.open(address) }
        }
        var configuration = ServiceGroupConfiguration(
            services: [server], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        configuration.maximumGracefulShutdownDuration = .seconds(5)
        try await ServiceGroup(configuration: configuration).run()
    }

    private func session() throws -> sending LiveSession {
        let (trained, title) = try model.trained()
        if let problem = trained.passedOver { Self.note(problem) }
        guard let name = environment ?? trained.description.environment else {
            throw ValidationError("'\(model.checkpoint)' does not name its environment; give --env")
        }
        let session = try LiveSession(
            trained, named: title, in: try EnvironmentRegistry.simulation(name),
            options: try model.options(), critic: try model.judge(), engine: try model.engine(),
            seed: seed)
        session.notes.forEach(Self.note)
        if !session.scene.foresees {
            Self.note(
                "observations of \(session.scene.environment) do not tell the pose: the plan ahead "
                    + "is not drawn")
        }
        return session
    }

    private static func note(_ text: String) {
        FileHandle.standardError.write(Data("\(text)\n".utf8))
    }

    /// Opens a page where there is a desktop; whoever has none goes by the printed address.
    private static func open(_ address: String) {
        let variables = ProcessInfo.processInfo.environment
        guard variables["DISPLAY"] != nil || variables["WAYLAND_DISPLAY"] != nil else { return }
        let browser = Process()
        browser.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        browser.arguments = ["xdg-open", address]
        browser.standardOutput = FileHandle.nullDevice
        browser.standardError = FileHandle.nullDevice
        try? browser.run()
    }
}
