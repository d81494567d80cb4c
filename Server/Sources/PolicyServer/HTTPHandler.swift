import Foundation
import Logging
import NIOCore
import NIOHTTP1
import NIOWebSocket
import Serving
import Sockets

/// One connection that speaks HTTP: a request at a time, its body held until it is whole.
final class HTTPHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let server: PolicyServer
    private let isSurplus: Bool
    private var head: HTTPRequestHead?
    private var body = ByteBuffer()
    /// Since when the client is waited for; nil while a request is being answered.
    private var waitingSince: NIODeadline? = .now()
    /// Since when an answer is on its way out.
    private var writingSince: NIODeadline?
    /// Nothing is read any more: the last answer is on its way.
    private var isClosing = false
    private var isEnding = false
    private let abandonment = Abandonment()
    private var clock: RepeatedTask?

    init(_ server: PolicyServer, isSurplus: Bool) {
        self.server = server
        self.isSurplus = isSurplus
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let (handler, context) = bound(context)
        clock = context.value.eventLoop.scheduleRepeatedTask(
            initialDelay: .seconds(1), delay: .seconds(1)
        ) { _ in handler.value.tick(context.value) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        clock?.cancel()
    }

    func channelInactive(context: ChannelHandlerContext) {
        abandonment.set()
        context.fireChannelInactive()
    }

    // MARK: - Reading

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isClosing else { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            waitingSince = waitingSince ?? .now()
            self.head = head
            body.clear()
            if isSurplus {
                refuse(
                    ServingError(
                        .busy,
                        "there are \(server.settings.connections) connections already; try again "
                            + "later"), context, close: true)
            } else if let length = head.headers.first(name: "content-length").flatMap(Int.init),
                length > server.settings.messageBytes
            {
                refuse(tooLarge, context, close: true)
            } else if head.headers[canonicalForm: "expect"].contains(where: {
                $0.lowercased() == "100-continue"
            }) {
                let go = HTTPResponseHead(version: head.version, status: .continue)
                context.writeAndFlush(wrapOutboundOut(.head(go)), promise: nil)
            }
        case .body(var part):
            guard body.readableBytes + part.readableBytes <= server.settings.messageBytes else {
                return refuse(tooLarge, context, close: true)
            }
            body.writeBuffer(&part)
        case .end:
            guard let head else { return }
            waitingSince = nil
            answer(head, context)
        }
    }

    private var tooLarge: ServingError {
        ServingError(
            .tooLarge, "the body is larger than \(server.settings.messageBytes) bytes")
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A request for a WebSocket that is damaged is answered as one by HTTP.
        guard !(error is NIOWebSocketUpgradeError) else { return }
        server.logger.debug("a request by HTTP cannot be read: \(error)")
        linger(context)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event is ServerEnding else {
            return context.fireUserInboundEventTriggered(event)
        }
        isEnding = true
        if waitingSince != nil { linger(context) }
    }

    private func tick(_ context: ChannelHandlerContext) {
        let patience = TimeAmount(server.settings.patience)
        if let writingSince, .now() - writingSince > patience {
            server.logger.info("a client does not take its answer and is let go")
            context.close(promise: nil)
        } else if let waitingSince, .now() - waitingSince > patience, !isClosing {
            guard head != nil else { return linger(context) }
            refuse(
                ServingError(.late, "the request was not whole in \(server.settings.patience)"),
                context, close: true, status: .requestTimeout)
        }
    }

    // MARK: - Answering

    private func answer(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        do {
            guard let infer = try route(head, context) else { return }
            let step = try server.policy.session().step(for: infer.request)
            let (handler, bound) = bound(context)
            let loop = context.eventLoop
            let model = server.policy.description.name
            try server.policy.queue.submit(
                step.situations, isAbandoned: { [abandonment] in abandonment.isSet }
            ) { result in
                let answer = result.flatMap { outcome in
                    Result { () throws(ServingError) in
                        try InferenceMessages.answer(outcome.plans, to: infer, model: model)
                    }
                }
                loop.execute { handler.value.finish(answer, bound.value) }
            }
        } catch {
            refuse(error, context)
        }
    }

    private func finish(_ answer: Result<Data, ServingError>, _ context: ChannelHandlerContext) {
        switch answer {
        case .success(let data): respond(.ok, data, context)
        case .failure(let error): refuse(error, context)
        }
    }

    /// Answers what is no inference; else returns what is to be planned for.
    private func route(
        _ head: HTTPRequestHead, _ context: ChannelHandlerContext
    ) throws(ServingError) -> InferenceMessages.Inference? {
        let parts = head.path.split(separator: "/").map {
            String($0).removingPercentEncoding ?? String($0)
        }
        let isReady = !server.connections.isEnding
        switch parts {
        case ["healthz"]:
            respond(.ok, Data("OK\n".utf8), context, type: "text/plain")
            return nil
        case ["v2", "health", "live"]:
            respond(.ok, Data(#"{"live":true}"#.utf8), context)
            return nil
        case ["v2", "health", "ready"]:
            respond(
                isReady ? .ok : .serviceUnavailable, Data(#"{"ready":\#(isReady)}"#.utf8), context)
            return nil
        default: break
        }
        if let refusal = server.refusal(of: head) { throw refusal }
        if parts.isEmpty {
            throw ServingError(
                .malformed,
                "here a policy is served by WebSocket, as openpi's clients ask; for HTTP see /v2")
        }
        guard parts[0] == "v2" else { throw unknown(head) }
        if parts.count == 1 {
            respond(.ok, try InferenceMetadata.server(), context)
            return nil
        }
        guard parts.count >= 3, parts[1] == "models" else { throw unknown(head) }
        let policy = server.policy.description
        guard parts[2] == policy.name else {
            throw ServingError(
                .unknown,
                "there is no model '\(parts[2].prefix(80))'; this one is '\(policy.name)'")
        }
        let isVersioned = parts.count >= 5 && parts[3] == "versions" && parts[4] == "1"
        switch Array(parts.dropFirst(isVersioned ? 5 : 3)) {
        case []:
            respond(.ok, try InferenceMetadata.model(policy), context)
        case ["ready"]:
            respond(.ok, Data(#"{"ready":true}"#.utf8), context)
        case ["infer"]:
            guard head.method == .POST else {
                refuse(
                    ServingError(.malformed, "an inference is asked for by POST"), context,
                    status: .methodNotAllowed)
                return nil
            }
            return try InferenceMessages.request(Data(body.readableBytesView))
        default: throw unknown(head)
        }
        return nil
    }

    private func unknown(_ head: HTTPRequestHead) -> ServingError {
        ServingError(.unknown, "there is nothing at '\(head.path.prefix(200))'")
    }

    private func refuse(
        _ error: ServingError, _ context: ChannelHandlerContext, close: Bool = false,
        status: HTTPResponseStatus? = nil
    ) {
        server.logger.debug("refused by HTTP: \(error)")
        respond(
            status ?? error.status, InferenceMetadata.problem(error), context, close: close)
    }

    private func respond(
        _ status: HTTPResponseStatus, _ data: Data, _ context: ChannelHandlerContext,
        type: String = "application/json", close: Bool = false
    ) {
        waitingSince = nil
        let keepsAlive = !close && !isEnding && head?.isKeepAlive ?? false
        var headers: HTTPHeaders = [
            "content-type": type, "content-length": "\(data.count)",
            "connection": keepsAlive ? "keep-alive" : "close",
        ]
        if status == .unauthorized { headers.add(name: "www-authenticate", value: "Api-Key") }
        if status == .serviceUnavailable { headers.add(name: "retry-after", value: "1") }
        if !keepsAlive { isClosing = true }
        writingSince = .now()
        context.write(
            wrapOutboundOut(
                .head(HTTPResponseHead(version: .http1_1, status: status, headers: headers))),
            promise: nil)
        if head?.method != .HEAD {
            context.write(
                wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: data)))), promise: nil)
        }
        let (handler, bound) = bound(context)
        context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in
            handler.value.written(bound.value, keepsAlive: keepsAlive)
        }
    }

    private func written(_ context: ChannelHandlerContext, keepsAlive: Bool) {
        writingSince = nil
        guard keepsAlive, !isEnding else { return linger(context) }
        head = nil
        waitingSince = .now()
    }

    /// Closes so that the last answer arrives: what the client still sends is read for a second.
    private func linger(_ context: ChannelHandlerContext) {
        isClosing = true
        context.close(mode: .output, promise: nil)
        let (_, bound) = bound(context)
        context.eventLoop.scheduleTask(in: .seconds(1)) { bound.value.close(promise: nil) }
    }
}

extension ServingError {
    /// How HTTP calls the refusal.
    fileprivate var status: HTTPResponseStatus {
        switch code {
        case .malformed: .badRequest
        case .unknown: .notFound
        case .unauthorized: .unauthorized
        case .forbidden: .forbidden
        case .tooLarge: .payloadTooLarge
        case .busy, .ending: .serviceUnavailable
        case .late: .gatewayTimeout
        case .failed: .internalServerError
        }
    }
}
