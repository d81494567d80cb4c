import Dispatch
public import Live
public import Logging
import NIOCore
public import ServiceLifecycle
import Sockets

/// Serves the live page of a session to this machine.
///
///     let server = LiveServer(session, port: 8001, logger: logger)
///     try await ServiceGroup(
///         services: [server], gracefulShutdownSignals: [.sigterm], logger: logger).run()
///
/// The session runs on a thread of its own while a page looks; an event loop carries the bytes.
public struct LiveServer: Service {
    private let loop: LiveLoop
    private let audience: Audience
    private let port: Int
    private let logger: Logger
    private let requests = PageRequests()
    private let page = ByteBuffer(string: Page.live)
    private let onListening: @Sendable (Int) -> Void

    /// The address that is listened on.
    public static let host = "127.0.0.1"

    /// A server that listens once it runs.
    ///
    /// - Parameters:
    ///   - session: What is shown, from now on the server's own.
    ///   - isRunning: Whether it moves by itself at first.
    ///   - port: The port; 0 takes one that is free.
    ///   - logger: Where the end is logged.
    ///   - onListening: Called with the port once pages can ask.
    public init(
        _ session: sending LiveSession, isRunning: Bool = true, port: Int, logger: Logger,
        onListening: @escaping @Sendable (Int) -> Void = { _ in }
    ) {
        let audience = Audience()
        self.audience = audience
        loop = LiveLoop(session, isRunning: isRunning) { audience.tell($0) }
        self.port = port
        self.logger = logger
        self.onListening = onListening
    }

    /// Serves until the service group is told to shut down.
    ///
    /// - Throws: ``LiveServerError`` when the port cannot be listened on.
    public func run() async throws {
        let (requests, loop, audience) = (requests, loop, audience)
        let listener = Listener(
            connections: Connections(limit: 32), messageBytes: PageSocket.messageBytes,
            isWebSocket: { requests.admits($0) && $0.path == "/live" },
            http: { [page] in PageHandler(requests, page: page, isSurplus: $0) },
            messages: { PageSocket(loop, audience: audience) })
        do {
            try await listener.run(host: Self.host, port: port) { _, port in
                onListening(port)
                DispatchQueue(label: "live").async { loop.run() }
            } onEnding: {
                logger.debug("ending")
                loop.end()
            }
        } catch let error as ListenerError {
            throw LiveServerError(port: port, problem: error.problem)
        }
    }
}

/// Why the live page is not served.
public struct LiveServerError: Error, CustomStringConvertible, Sendable, Hashable {
    /// The port that was asked for.
    public let port: Int
    /// What the system said.
    public let problem: String

    /// One line: what, and what to do.
    public var description: String {
        "cannot serve the live page: port \(port) cannot be listened on (\(problem)); give another"
    }
}
