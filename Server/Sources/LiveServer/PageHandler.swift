import NIOCore
import NIOHTTP1
import NIOWebSocket
import Sockets

/// One connection by HTTP: the page, or a refusal, and then the end.
final class PageHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    /// How long a request may take to come.
    private static let patience = TimeAmount.seconds(10)

    private let requests: PageRequests
    private let page: ByteBuffer
    private let isSurplus: Bool
    private var isAnswered = false
    private var end: Scheduled<Void>?

    init(_ requests: PageRequests, page: ByteBuffer, isSurplus: Bool) {
        self.requests = requests
        self.page = page
        self.isSurplus = isSurplus
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let (_, bound) = bound(context)
        end = context.eventLoop.scheduleTask(in: Self.patience) { bound.value.close(promise: nil) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        end?.cancel()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // What comes after the head decides nothing.
        guard case .head(let head) = unwrapInboundIn(data), !isAnswered else { return }
        if isSurplus {
            answer(.serviceUnavailable, "there are too many pages already\n", head, context)
        } else if !requests.admits(head) {
            answer(.forbidden, "only this machine's own page is answered\n", head, context)
        } else if head.path != "/" {
            answer(.notFound, "there is nothing here; the page is at /\n", head, context)
        } else if head.method != .GET && head.method != .HEAD {
            answer(.methodNotAllowed, "the page is asked for by GET\n", head, context)
        } else {
            answer(.ok, page, type: "text/html; charset=utf-8", head, context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A request for a WebSocket that is damaged is answered as one by HTTP.
        guard !(error is NIOWebSocketUpgradeError) else { return }
        context.close(promise: nil)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event is ServerEnding else {
            return context.fireUserInboundEventTriggered(event)
        }
        context.close(promise: nil)
    }

    private func answer(
        _ status: HTTPResponseStatus, _ text: String, _ head: HTTPRequestHead,
        _ context: ChannelHandlerContext
    ) {
        answer(status, ByteBuffer(string: text), type: "text/plain; charset=utf-8", head, context)
    }

    private func answer(
        _ status: HTTPResponseStatus, _ body: ByteBuffer, type: String, _ head: HTTPRequestHead,
        _ context: ChannelHandlerContext
    ) {
        isAnswered = true
        let headers: HTTPHeaders = [
            "content-type": type, "content-length": "\(body.readableBytes)",
            "connection": "close", "cache-control": "no-store",
            "x-content-type-options": "nosniff",
            // The page is whole: whatever else would be loaded or would frame it is none of ours.
            "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; "
                + "script-src 'unsafe-inline'; connect-src 'self'; img-src data:; "
                + "frame-ancestors 'none'",
        ]
        context.write(
            wrapOutboundOut(
                .head(HTTPResponseHead(version: .http1_1, status: status, headers: headers))),
            promise: nil)
        if head.method != .HEAD {
            context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        }
        let (_, bound) = bound(context)
        context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in
            bound.value.close(mode: .output, promise: nil)
        }
    }
}
