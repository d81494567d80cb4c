public import Logging
import NIOHTTP1
public import ServiceLifecycle
public import Serving
import Sockets

/// Serves a policy on one port: openpi's WebSocket protocol, and HTTP with JSON under the Open
/// Inference Protocol's names.
///
///     let server = try PolicyServer(Policy(planner, name: "hopper"), logger: logger)
///     try await ServiceGroup(
///         services: [server], gracefulShutdownSignals: [.sigterm], logger: logger).run()
///
/// One event loop carries the bytes; plans are made on the policy's own thread. At a graceful
/// shutdown no connection and no request is taken any more, what was asked before is answered, and
/// then connections close.
public struct PolicyServer: Service {
    let policy: Policy
    let settings: ServerSettings
    let logger: Logger
    let connections: Connections
    private let onListening: @Sendable (String, Int) -> Void

    /// A server that listens once it runs.
    ///
    /// - Parameters:
    ///   - policy: What is served.
    ///   - settings: Where, to whom, and how much.
    ///   - logger: Where refusals and connections are logged.
    ///   - onListening: Called with address and port once clients can connect.
    /// - Throws: ``ServerError`` for settings that cannot be.
    public init(
        _ policy: Policy, settings: ServerSettings = .init(), logger: Logger,
        onListening: @escaping @Sendable (String, Int) -> Void = { _, _ in }
    ) throws(ServerError) {
        try settings.validate()
        self.policy = policy
        self.settings = settings
        self.logger = logger
        self.onListening = onListening
        connections = Connections(limit: settings.connections)
    }

    /// Serves until the service group is told to shut down.
    ///
    /// - Throws: ``ServerError`` when the address cannot be listened on.
    public func run() async throws {
        let port = Listener(
            connections: connections, messageBytes: settings.messageBytes,
            isWebSocket: { refusal(of: $0) == nil && $0.path == "/" },
            http: { HTTPHandler(self, isSurplus: $0) }, messages: { WebSocketHandler(self) })
        do {
            try await port.run(host: settings.host, port: settings.port, onListening: onListening) {
                logger.info("ending: what was asked is answered, then connections close")
                policy.queue.close()
            }
        } catch let error as ListenerError {
            throw ServerError(
                .address,
                "\(settings.host), port \(settings.port), cannot be listened on "
                    + "(\(error.problem)); give another port")
        }
    }

    /// Why nothing is done for whoever sends this; nil where something is.
    func refusal(of head: HTTPRequestHead) -> ServingError? {
        if connections.isEnding { return .ending }
        if settings.apiKey == nil {
            // Any page in a browser on this machine could ask otherwise.
            guard head.headers["origin"].isEmpty else {
                return ServingError(
                    .forbidden, "pages in a browser are not answered unless there is an API key")
            }
        } else if !settings.admits(head.headers.first(name: "authorization")) {
            return ServingError(
                .unauthorized, "the key is missing or wrong; send 'Authorization: Api-Key KEY'")
        }
        return nil
    }
}
