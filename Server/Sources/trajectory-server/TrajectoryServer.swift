import Agents
import ArgumentParser
import Foundation
import Learning
import Logging
import ModelArguments
import Planning
import PolicyServer
import Serving
import ServiceLifecycle
import Transformer
import UnixSignals

/// The program that serves a trained model's plans.
@main
struct TrajectoryServer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trajectory-server",
        abstract: "Serve the plans of a trained model, by WebSocket and by HTTP.",
        discussion: """
            `trajectory serve CHECKPOINT` starts this program with a search of its options. \
            docs/serving.md says what is asked and answered.
            """)

    @OptionGroup var model: ModelArguments

    @Option(help: "The name under which it is served; the folder's if not given.")
    var name: String?

    @Option(help: "The address to listen on; others than this machine's demand an API key.")
    var host = ServerSettings().host

    @Option(help: "The port to listen on; 0 takes a free one, which is printed.")
    var port = ServerSettings().port

    @Option(
        help: """
            A file whose first line is the key that clients must send; the environment variable \
            TRAJECTORY_API_KEY may hold it instead.
            """)
    var apiKeyFile: String?

    @Option(help: "Connections at the same time.")
    var connections = ServerSettings().connections

    @Option(help: "Bytes of a message.")
    var messageBytes = ServerSettings().messageBytes

    @Option(help: "Requests that may wait for their search.")
    var waiting = PlanQueue.Limits().waiting

    @Option(help: "Observations that may be planned for together, and in one request.")
    var together = PlanQueue.Limits().together

    @Option(help: "Seconds that a request may wait for its search.")
    var waitingSeconds = 10.0

    @Option(help: "Seconds that a search may take.")
    var planningSeconds = 60.0

    @Option(help: "Seconds that a client may take to send a request or to take its answer.")
    var patienceSeconds = 30.0

    @Option(help: "What is logged on standard error: trace, debug, info, notice, warning or error.")
    var logLevel = "info"

    func validate() throws {
        for (name, value) in [
            ("--connections", connections), ("--waiting", waiting), ("--together", together),
        ] where !(1...100_000 ~= value) {
            throw ValidationError("\(name) must be from 1 to 100000, found \(value)")
        }
        for (name, value) in [
            ("--waiting-seconds", waitingSeconds), ("--planning-seconds", planningSeconds),
            ("--patience-seconds", patienceSeconds),
        ] where !(value > 0 && value <= 86_400) {
            throw ValidationError("\(name) must be above 0 and at most 86400, found \(value)")
        }
        guard Logger.Level(rawValue: logLevel) != nil else {
            throw ValidationError(
                "--log-level must be trace, debug, info, notice, warning or error, found "
                    + "'\(logLevel)'")
        }
    }

    func run() async throws {
        do {
            try await serve()
        } catch {
            FileHandle.standardError.write(Data("error: \(error)\n".utf8))
            throw ExitCode.failure
        }
    }

    private func serve() async throws {
        let level = Logger.Level(rawValue: logLevel) ?? .info
        LoggingSystem.bootstrap { label in
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = level
            return handler
        }
        let logger = Logger(label: "trajectory-server")
        // Settings that cannot be are refused before a model is read.
        let settings = try settings()
        try settings.validate()
        let policy = try policy(logger)
        let server = try PolicyServer(policy, settings: settings, logger: logger) { host, port in
            let place = host.contains(":") ? "[\(host)]" : host
            print("serving \(policy.description.name) on http://\(place):\(port)")
            fflush(nil)
        }
        var configuration = ServiceGroupConfiguration(
            services: [server], gracefulShutdownSignals: [.sigterm, .sigint],
            logger: Logger(label: "lifecycle") { _ in SwiftLogNoOpLogHandler() })
        configuration.maximumGracefulShutdownDuration = .seconds(
            waitingSeconds + planningSeconds + patienceSeconds)
        let impatience = Task { await Self.endAtSecondSignal() }
        defer { impatience.cancel() }
        try await ServiceGroup(configuration: configuration).run()
    }

    /// Who signals twice does not want to wait for the plans that run.
    private static func endAtSecondSignal() async {
        var isFirst = true
        for await signal in await UnixSignalsSequence(trapping: .sigterm, .sigint) {
            if !isFirst { Foundation.exit(128 + signal.rawValue) }
            isFirst = false
        }
    }

    private func settings() throws -> ServerSettings {
        var settings = ServerSettings()
        settings.host = host
        settings.port = port
        settings.connections = connections
        settings.messageBytes = messageBytes
        settings.patience = .seconds(patienceSeconds)
        if let apiKeyFile {
            guard let text = try? String(contentsOfFile: apiKeyFile, encoding: .utf8) else {
                throw ValidationError("the API key's file '\(apiKeyFile)' cannot be read")
            }
            settings.apiKey = text.split(separator: "\n", omittingEmptySubsequences: false)
                .first.map { $0.trimmingCharacters(in: .whitespaces) }
        } else if let key = ProcessInfo.processInfo.environment["TRAJECTORY_API_KEY"] {
            settings.apiKey = key
        }
        return settings
    }

    private func policy(_ logger: Logger) throws -> Policy {
        let (trained, title) = try model.trained()
        if let problem = trained.passedOver { logger.warning("\(problem)") }
        let options = try model.options()
        let judge = try model.judge()?.critic
        try judge?.requireMatch(
            trained.dataLayout, of: "the model '\(model.checkpoint)'",
            file: model.critic ?? "")
        // A plan is made for every request; how long it is followed is the client's matter.
        var search = options
        search.replanInterval = 1
        let planner = try Planner(
            checkpoint: trained, options: search, critic: judge,
            engine: model.engine())
        if let judge, let discount = planner.options.discount, judge.discount != discount {
            logger.warning("the critic discounts by \(judge.discount), the plan by \(discount)")
        }
        var limits = PlanQueue.Limits()
        limits.waiting = waiting
        limits.together = together
        limits.waitingTime = .seconds(waitingSeconds)
        limits.planningTime = .seconds(planningSeconds)
        return Policy(
            planner, name: name ?? title,
            replanInterval: options.replanInterval, limits: limits)
    }
}
