package import NIOCore

extension ChannelInboundHandler {
    /// Handler and context, for closures that run on the event loop later.
    package func bound(
        _ context: ChannelHandlerContext
    ) -> (NIOLoopBound<Self>, NIOLoopBound<ChannelHandlerContext>) {
        (
            NIOLoopBound(self, eventLoop: context.eventLoop),
            NIOLoopBound(context, eventLoop: context.eventLoop)
        )
    }
}
