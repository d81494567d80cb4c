public import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket
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
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let channel: any Channel
        do {
            channel = try await bootstrap(group)
                .bind(host: settings.host, port: settings.port).get()
        } catch {
            try await group.shutdownGracefully()
            throw ServerError(
                .address,
                "\(settings.host), port \(settings.port), cannot be listened on (\(error)); give "
                    + "another port")
        }
        let address = channel.localAddress
        onListening(address?.ipAddress ?? settings.host, address?.port ?? settings.port)
        try await withTaskCancellationOrGracefulShutdownHandler {
            try await channel.closeFuture.get()
        } onCancelOrGracefulShutdown: {
            logger.info("ending: what was asked is answered, then connections close")
            policy.queue.close()
            channel.close(promise: nil)
            connections.end()
        }
        await connections.allGone()
        try await group.shutdownGracefully()
    }

    private func bootstrap(_ group: any EventLoopGroup) -> ServerBootstrap {
        ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelOption(.maxMessagesPerRead, value: 1)
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
        let upgrader = NIOWebSocketServerUpgrader(
            maxFrameSize: settings.messageBytes, automaticErrorHandling: false,
            shouldUpgrade: { channel, head in
                let isFine = !isSurplus && refusal(of: head) == nil && path(head) == "/"
                return channel.eventLoop.makeSucceededFuture(isFine ? [:] : nil)
            },
            upgradePipelineHandler: { channel, _ in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    let http = try pipeline.handler(type: HTTPHandler.self)
                    pipeline.removeHandler(http, promise: nil)
                    try pipeline.addHandler(WebSocketHandler(self))
                }
            })
        let pipeline = channel.pipeline.syncOperations
        try pipeline.configureHTTPServerPipeline(
            withServerUpgrade: (upgraders: [upgrader], completionHandler: { _ in }))
        try pipeline.addHandler(HTTPHandler(self, isSurplus: isSurplus))
    }

    /// The path of a request, without what is asked after a question mark.
    func path(_ head: HTTPRequestHead) -> Substring {
        head.uri.prefix { $0 != "?" }
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
