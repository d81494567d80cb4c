package import NIOCore
package import NIOHTTP1
import NIOPosix
import NIOWebSocket
import ServiceLifecycle

/// A port on which a connection speaks HTTP until it asks for a WebSocket.
///
/// One event loop carries the bytes. At a graceful shutdown no connection is taken any more, those
/// that there are are told (``ServerEnding``), and when the last has closed ``run(host:port:onListening:onEnding:)``
/// returns.
package struct Listener<
    HTTP: ChannelInboundHandler & RemovableChannelHandler & SendableMetatype,
    Messages: ChannelInboundHandler & SendableMetatype
>: Sendable {
    /// Those that there are.
    package let connections: Connections
    private let messageBytes: Int
    private let isWebSocket: @Sendable (HTTPRequestHead) -> Bool
    private let http: @Sendable (_ isSurplus: Bool) -> HTTP
    private let messages: @Sendable () -> Messages

    /// A port that is listened on once it runs.
    ///
    /// - Parameters:
    ///   - connections: Counts them, and says how many may be.
    ///   - messageBytes: Bytes of a WebSocket's frame.
    ///   - isWebSocket: Whether who asks for a WebSocket by this request gets one.
    ///   - http: What answers a new connection, which may be one too many.
    ///   - messages: What takes its place on a WebSocket.
    package init(
        connections: Connections, messageBytes: Int,
        isWebSocket: @escaping @Sendable (HTTPRequestHead) -> Bool,
        http: @escaping @Sendable (_ isSurplus: Bool) -> HTTP,
        messages: @escaping @Sendable () -> Messages
    ) {
        self.connections = connections
        self.messageBytes = messageBytes
        self.isWebSocket = isWebSocket
        self.http = http
        self.messages = messages
    }

    /// Serves until the service group is told to shut down.
    ///
    /// - Parameters:
    ///   - host: The address to listen on.
    ///   - port: The port; 0 takes one that is free.
    ///   - onListening: Called with address and port once clients can connect.
    ///   - onEnding: Called before the connections are told.
    /// - Throws: ``ListenerError`` when the address cannot be listened on.
    package func run(
        host: String, port: Int, onListening: (_ host: String, _ port: Int) -> Void,
        onEnding: @escaping @Sendable () -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let channel: any Channel
        do {
            channel = try await bootstrap(group).bind(host: host, port: port).get()
        } catch {
            try await group.shutdownGracefully()
            throw ListenerError(problem: "\(error)")
        }
        onListening(
            channel.localAddress?.ipAddress ?? host, channel.localAddress?.port ?? port)
        try await withTaskCancellationOrGracefulShutdownHandler {
            try await channel.closeFuture.get()
        } onCancelOrGracefulShutdown: {
            onEnding()
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
            // Who floods is read no faster than it is answered.
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try self.configure(channel) }
            }
    }

    /// The handlers of a new connection.
    private func configure(_ channel: any Channel) throws {
        let admission = connections.admit(channel)
        if case .dropped = admission {
            channel.close(promise: nil)
            return
        }
        let isSurplus = admission == .surplus
        let upgrader = NIOWebSocketServerUpgrader(
            maxFrameSize: messageBytes, automaticErrorHandling: false,
            shouldUpgrade: { channel, head in
                channel.eventLoop.makeSucceededFuture(
                    !isSurplus && isWebSocket(head) ? [:] : nil)
            },
            upgradePipelineHandler: { channel, _ in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    pipeline.removeHandler(try pipeline.handler(type: HTTP.self), promise: nil)
                    try pipeline.addHandler(messages())
                }
            })
        let pipeline = channel.pipeline.syncOperations
        try pipeline.configureHTTPServerPipeline(
            withServerUpgrade: (upgraders: [upgrader], completionHandler: { _ in }))
        try pipeline.addHandler(http(isSurplus))
    }
}

/// Why a port cannot be listened on.
package struct ListenerError: Error {
    /// The system's words.
    package let problem: String
}

extension HTTPRequestHead {
    /// The path, without what is asked after a question mark.
    package var path: Substring { uri.prefix { $0 != "?" } }
}
