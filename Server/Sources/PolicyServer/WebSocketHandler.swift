import Logging
import NIOCore
import NIOWebSocket
import Serving
import Sockets

/// One connection that speaks openpi's protocol: a message in, a message out, one at a time.
///
/// A second message waits for the answer to the first, and meanwhile no third is read.
final class WebSocketHandler: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    private let server: PolicyServer
    private var session: Session
    private var assembly: MessageAssembly
    /// Messages that wait for the answer before them, and whether they are text.
    private var waiting: ArraySlice<(bytes: ByteBuffer, isText: Bool)> = []
    /// A message is being answered, until the answer has gone out.
    private var isBusy = false
    private var isAdvancing = false
    private var isReading = true
    private var isClosing = false
    private var isEnding = false
    private var lastHeard = NIODeadline.now()
    private var writingSince: NIODeadline?
    private var lastTotal: Double?
    private let abandonment = Abandonment()
    private var clock: RepeatedTask?

    init(_ server: PolicyServer) {
        self.server = server
        session = server.policy.session()
        assembly = MessageAssembly(limit: server.settings.messageBytes)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let (handler, bound) = bound(context)
        let delay = TimeAmount(min(server.settings.silence, .seconds(1)))
        clock = context.eventLoop.scheduleRepeatedTask(initialDelay: delay, delay: delay) { _ in
            handler.value.tick(bound.value)
        }
        send(
            .binary,
            OpenPIMessages.metadata(
                server.policy.description, lanes: server.policy.queue.limits.together), context)
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
        let frame = unwrapInboundIn(data)
        lastHeard = .now()
        guard !isClosing else {
            if frame.opcode == .connectionClose { context.close(promise: nil) }
            return
        }
        do throws(MessageAssembly.Violation) {
            switch try assembly.take(frame) {
            case .message(let bytes, let isText):
                waiting.append((bytes, isText))
                advance(context)
            case .ping(let bytes): send(.pong, bytes, context)
            case .part, .pong: break
            case .close: close(.normalClosure, nil, context)
            }
        } catch {
            close(error.code, error.reason, context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let violation = assembly.violation(error) else {
            return context.close(promise: nil)
        }
        close(violation.code, violation.reason, context)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event is ServerEnding else {
            return context.fireUserInboundEventTriggered(event)
        }
        isEnding = true
        if !isBusy { close(.goingAway, nil, context) }
    }

    private func tick(_ context: ChannelHandlerContext) {
        if let writingSince, .now() - writingSince > TimeAmount(server.settings.patience) {
            server.logger.info("a client does not take its answer and is let go")
            return context.close(promise: nil)
        }
        // Who sends too much is not read meanwhile, and so cannot be heard.
        guard isReading, !isClosing else { return }
        let silence = TimeAmount(server.settings.silence)
        let quiet = NIODeadline.now() - lastHeard
        if quiet > silence * 2 {
            server.logger.info("a client is silent and is let go")
            context.close(promise: nil)
        } else if quiet > silence {
            send(.ping, [], context)
        }
    }

    // MARK: - Planning

    /// Begins with the messages that wait, until one is being answered.
    private func advance(_ context: ChannelHandlerContext) {
        // An answer may go out before `begin` returns: no call within a call, however many wait.
        guard !isAdvancing else { return }
        isAdvancing = true
        while !isBusy, !isClosing, let message = waiting.popFirst() { begin(message, context) }
        isAdvancing = false
        setReading(context)
    }

    private func begin(
        _ message: (bytes: ByteBuffer, isText: Bool), _ context: ChannelHandlerContext
    ) {
        isBusy = true
        let received = NIODeadline.now()
        do throws(ServingError) {
            guard !message.isText else {
                throw ServingError(
                    .malformed, "the message is text; send MessagePack as binary data")
            }
            let request = try OpenPIMessages.request(Array(message.bytes.readableBytesView))
            let step = try session.step(for: request)
            let (handler, bound) = bound(context)
            let loop = context.eventLoop
            try server.policy.queue.submit(
                step.situations, isAbandoned: { [abandonment] in abandonment.isSet }
            ) { result in
                loop.execute {
                    handler.value.finish(result, of: step, since: received, bound.value)
                }
            }
        } catch {
            refuse(error, context, since: received)
        }
    }

    private func finish(
        _ result: Result<PlanQueue.Outcome, ServingError>, of step: Session.Step,
        since received: NIODeadline, _ context: ChannelHandlerContext
    ) {
        guard !isClosing else { return }
        switch result {
        case .success(let outcome):
            session.commit(step, plans: outcome.plans)
            var timing = [
                ("infer_ms", milliseconds(since: received)),
                ("queue_ms", outcome.waited / .milliseconds(1)),
                ("search_ms", outcome.searched / .milliseconds(1)),
                ("together", Double(outcome.together)),
            ]
            if let lastTotal { timing.append(("prev_total_ms", lastTotal)) }
            send(
                .binary, OpenPIMessages.answer(outcome.plans, to: step, timing: timing), context,
                since: received)
        case .failure(let error): refuse(error, context, since: received)
        }
    }

    private func milliseconds(since instant: NIODeadline) -> Double {
        Double((NIODeadline.now() - instant).nanoseconds) / 1e6
    }

    /// An answer has gone out: the next message, or the end.
    private func answered(since received: NIODeadline, _ context: ChannelHandlerContext) {
        isBusy = false
        lastTotal = milliseconds(since: received)
        isEnding ? close(.goingAway, nil, context) : advance(context)
    }

    /// Reads only while nothing waits and what is sent is taken.
    private func setReading(_ context: ChannelHandlerContext) {
        let wanted = isClosing || waiting.isEmpty && context.channel.isWritable
        guard wanted != isReading else { return }
        isReading = wanted
        try? context.channel.syncOptions?.setOption(.autoRead, value: wanted)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        setReading(context)
        context.fireChannelWritabilityChanged()
    }

    // MARK: - Writing

    private func refuse(
        _ error: ServingError, _ context: ChannelHandlerContext, since received: NIODeadline
    ) {
        server.logger.debug("refused: \(error)")
        send(.text, Array(error.detail.utf8), context, since: received)
    }

    private func send(
        _ opcode: WebSocketOpcode, _ bytes: [UInt8], _ context: ChannelHandlerContext,
        since received: NIODeadline? = nil
    ) {
        let frame = WebSocketFrame(fin: true, opcode: opcode, data: ByteBuffer(bytes: bytes))
        writingSince = writingSince ?? .now()
        let (handler, bound) = bound(context)
        context.writeAndFlush(wrapOutboundOut(frame)).whenComplete { _ in
            handler.value.writingSince = nil
            if let received { handler.value.answered(since: received, bound.value) }
        }
    }

    /// Says why, and closes: at once when the client has closed too, else after a second.
    private func close(
        _ code: WebSocketErrorCode, _ reason: String?, _ context: ChannelHandlerContext
    ) {
        guard !isClosing else { return }
        isClosing = true
        abandonment.set()
        waiting = []
        var data = ByteBuffer()
        data.write(webSocketErrorCode: code)
        if let reason {
            server.logger.debug("closed: \(reason)")
            // Beside its code such a frame has room for so much.
            data.writeString(String(reason.prefix(120)))
        }
        setReading(context)
        let (_, bound) = bound(context)
        let isDone = code == .normalClosure
        context.writeAndFlush(
            wrapOutboundOut(WebSocketFrame(fin: true, opcode: .connectionClose, data: data))
        ).whenComplete { _ in
            if isDone { bound.value.close(promise: nil) }
        }
        context.eventLoop.scheduleTask(in: .seconds(1)) { bound.value.close(promise: nil) }
    }
}
