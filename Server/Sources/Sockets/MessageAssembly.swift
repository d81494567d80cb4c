package import NIOCore
package import NIOWebSocket

/// Whole messages out of a WebSocket client's frames, held to the protocol and to a size.
package struct MessageAssembly {
    /// What a frame brings.
    package enum Event {
        /// A message is whole.
        case message(ByteBuffer, isText: Bool)
        /// A part of one.
        case part
        /// The client asks whether somebody is there, with bytes to be sent back.
        case ping([UInt8])
        /// The client is there.
        case pong
        /// The client closes.
        case close
    }

    /// A frame that ends the connection.
    package struct Violation: Error {
        /// What the client is told.
        package let code: WebSocketErrorCode
        /// The same for a person.
        package let reason: String
    }

    private let limit: Int
    /// The parts so far of a message that comes in several frames, and whether it is text.
    private var parts: (bytes: ByteBuffer, isText: Bool)?

    /// Messages of at most `limit` bytes.
    package init(limit: Int) {
        self.limit = limit
    }

    /// Takes the next frame.
    package mutating func take(_ frame: WebSocketFrame) throws(Violation) -> Event {
        guard frame.maskKey != nil, !frame.rsv1, !frame.rsv2, !frame.rsv3 else {
            throw Violation(
                code: .protocolError, reason: "a frame without mask, or with bits that mean nothing"
            )
        }
        switch frame.opcode {
        case .binary, .text, .continuation: return try read(frame)
        case .ping: return .ping(Array(frame.unmaskedData.readableBytesView))
        case .pong: return .pong
        case .connectionClose: return .close
        default: throw Violation(code: .protocolError, reason: "a frame of an unknown kind")
        }
    }

    private mutating func read(_ frame: WebSocketFrame) throws(Violation) -> Event {
        guard (frame.opcode == .continuation) == (parts != nil) else {
            throw Violation(
                code: .protocolError, reason: "parts of two messages mixed, or a part of none")
        }
        var data = frame.unmaskedData
        var (bytes, isText) = parts ?? (ByteBuffer(), frame.opcode == .text)
        guard bytes.readableBytes + data.readableBytes <= limit else { throw tooLarge }
        bytes.writeBuffer(&data)
        parts = frame.fin ? nil : (bytes, isText)
        return frame.fin ? .message(bytes, isText: isText) : .part
    }

    private var tooLarge: Violation {
        Violation(
            code: .messageTooLarge, reason: "the message is larger than \(limit) bytes")
    }

    /// The violation behind an error of reading frames; nil where it is another.
    package func violation(_ error: any Error) -> Violation? {
        switch error {
        case NIOWebSocketError.invalidFrameLength: tooLarge
        case is NIOWebSocketError:
            Violation(code: .protocolError, reason: "a frame that is none")
        default: nil
        }
    }
}
