import Live
import NIOCore
import NIOWebSocket
import Sockets

/// One page's WebSocket: what happens goes out, what is pressed comes in.
final class PageSocket: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    /// Bytes of a page's message, which are few.
    static let messageBytes = 1 << 14
    /// Bytes that may wait for a page that does not read them.
    private static let mostWaiting = 1 << 26

    private let loop: LiveLoop
    private let audience: Audience
    private var assembly = MessageAssembly(limit: PageSocket.messageBytes)
    private var waiting = 0
    private var isClosing = false
    private var hasJoined = false

    init(_ loop: LiveLoop, audience: Audience) {
        self.loop = loop
        self.audience = audience
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let (handler, bound) = bound(context)
        let eventLoop = context.eventLoop
        hasJoined = true
        // First the ears, then the past: a step may be told twice, none is missed.
        audience.add(ObjectIdentifier(self)) { text in
            eventLoop.execute { handler.value.send(text, bound.value) }
        }
        for text in loop.join() { send(text, context) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        leave()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        leave()
    }

    private func leave() {
        isClosing = true
        guard hasJoined else { return }
        hasJoined = false
        audience.remove(ObjectIdentifier(self))
        loop.leave()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isClosing else { return }
        do throws(MessageAssembly.Violation) {
            switch try assembly.take(unwrapInboundIn(data)) {
            case .message(let bytes, _):
                if let refusal = loop.receive(String(buffer: bytes)) { send(refusal, context) }
            case .ping(let bytes): send(.pong, ByteBuffer(bytes: bytes), context)
            case .part, .pong: break
            case .close: close(.normalClosure, context)
            }
        } catch {
            close(error.code, context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let violation = assembly.violation(error) else {
            return context.close(promise: nil)
        }
        close(violation.code, context)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event is ServerEnding else {
            return context.fireUserInboundEventTriggered(event)
        }
        close(.goingAway, context)
    }

    private func send(_ text: String, _ context: ChannelHandlerContext) {
        send(.text, ByteBuffer(string: text), context)
    }

    private func send(
        _ opcode: WebSocketOpcode, _ data: ByteBuffer, _ context: ChannelHandlerContext
    ) {
        guard !isClosing else { return }
        let count = data.readableBytes
        waiting += count
        guard waiting <= Self.mostWaiting else {
            isClosing = true
            return context.close(promise: nil)
        }
        let (handler, _) = bound(context)
        let frame = WebSocketFrame(fin: true, opcode: opcode, data: data)
        context.writeAndFlush(wrapOutboundOut(frame)).whenComplete { _ in
            handler.value.waiting -= count
        }
    }

    private func close(_ code: WebSocketErrorCode, _ context: ChannelHandlerContext) {
        guard !isClosing else { return }
        leave()
        var data = ByteBuffer()
        data.write(webSocketErrorCode: code)
        let (_, bound) = bound(context)
        context.writeAndFlush(
            wrapOutboundOut(WebSocketFrame(fin: true, opcode: .connectionClose, data: data))
        ).whenComplete { _ in bound.value.close(promise: nil) }
    }
}
