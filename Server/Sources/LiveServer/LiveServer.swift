import Dispatch
public import Live
public import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket
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
    private let connections = Connections(limit: 32)
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
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let channel: any Channel
        do {
            channel = try await bootstrap(group).bind(host: Self.host, port: port).get()
        } catch {
            try await group.shutdownGracefully()
            throw LiveServerError(port: port, problem: "\(error)")
        }
        onListening(channel.localAddress?.port ?? port)
        let loop = loop
        DispatchQueue(label: "live").async { loop.run() }
        try await withTaskCancellationOrGracefulShutdownHandler {
            try await channel.closeFuture.get()
        } onCancelOrGracefulShutdown: {
            logger.debug("ending")
            loop.end()
            channel.close(promise: nil)
            connections.end()
        }
        await connections.allGone()
        try await group.shutdownGracefully()
    }

    private func bootstrap(_ group: any EventLoopGroup) -> ServerBootstrap {
        ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 64)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try self.configure(channel) }
            }
    }

    /// The handlers of a new connection: HTTP until a WebSocket is asked for.
    private func configure(_ channel: any Channel) throws {
        let admission = connections.admit(channel)
        if case .dropped = admission {
            channel.close(promise: nil)
            return
        }
        let isSurplus = admission == .surplus
        let (requests, loop, audience) = (requests, loop, audience)
        let upgrader = NIOWebSocketServerUpgrader(
            maxFrameSize: PageSocket.messageBytes, automaticErrorHandling: false,
            shouldUpgrade: { channel, head in
                let isFine = !isSurplus && requests.admits(head) && requests.path(head) == "/live"
                return channel.eventLoop.makeSucceededFuture(isFine ? [:] : nil)
            },
            upgradePipelineHandler: { channel, _ in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    let http = try pipeline.handler(type: PageHandler.self)
                    pipeline.removeHandler(http, promise: nil)
                    try pipeline.addHandler(PageSocket(loop, audience: audience))
                }
            })
        let pipeline = channel.pipeline.syncOperations
        try pipeline.configureHTTPServerPipeline(
            withServerUpgrade: (upgraders: [upgrader], completionHandler: { _ in }))
        try pipeline.addHandler(PageHandler(requests, page: page, isSurplus: isSurplus))
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
