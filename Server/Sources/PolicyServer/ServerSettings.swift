/// Where a server listens, who may ask, and how much.
public struct ServerSettings: Sendable, Hashable {
    /// The address to listen on.
    public var host = "127.0.0.1"
    /// The port; 0 takes one that is free.
    public var port = 8000
    /// What clients must show; nil lets everybody on this machine ask.
    public var apiKey: String?
    /// Connections at the same time.
    public var connections = 256
    /// Bytes of a message or of the body of a request.
    public var messageBytes = 1 << 20
    /// How long a client may take to send a whole request by HTTP, to begin one, or to take an
    /// answer.
    public var patience = Duration.seconds(30)
    /// How long a WebSocket client may be silent before it is asked whether it is there; silent for
    /// twice as long it is let go.
    public var silence = Duration.seconds(20)

    /// The defaults.
    public init() {}

    /// Refuses what makes no sense, and an address that others reach without a key.
    ///
    /// - Throws: ``ServerError``.
    public func validate() throws(ServerError) {
        guard 0...65535 ~= port else {
            throw ServerError(.settings, "port \(port); give 0 to 65535")
        }
        guard connections >= 1, messageBytes >= 1024, messageBytes <= Int(UInt32.max) else {
            throw ServerError(
                .settings,
                "\(connections) connections and \(messageBytes) bytes a message; give 1 or more, "
                    + "and 1024 bytes to 4 GB")
        }
        guard patience > .zero, silence > .zero else {
            throw ServerError(.settings, "no time at all for clients; give seconds above 0")
        }
        if let apiKey {
            let isPrintable = apiKey.utf8.allSatisfy { 0x21...0x7e ~= $0 }
            guard !apiKey.isEmpty, isPrintable else {
                throw ServerError(
                    .settings, "an API key that is empty or has spaces; give printable characters")
            }
        } else if !isLoopback {
            throw ServerError(
                .unprotected,
                "others can reach \(host), and there is no API key; give one, or listen on "
                    + "127.0.0.1")
        }
    }

    /// Whether only this machine reaches the address.
    var isLoopback: Bool {
        if host == "localhost" || host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil } && parts[0] == "127"
    }

    /// Whether a header `Authorization` shows the key, in a time that does not tell how much of it
    /// was right.
    func admits(_ authorization: String?) -> Bool {
        guard let apiKey else { return true }
        let expected = Array("Api-Key \(apiKey)".utf8)
        let found = Array((authorization ?? "").utf8)
        var difference = expected.count ^ found.count
        for (place, byte) in expected.enumerated() {
            difference |= Int(byte ^ (place < found.count ? found[place] : 0))
        }
        return difference == 0
    }
}

/// Why a server does not start.
public struct ServerError: Error, CustomStringConvertible, Sendable, Hashable {
    /// The kinds of failure.
    public enum Code: Sendable, Hashable {
        /// A setting that cannot be.
        case settings
        /// An address that others reach, without a key.
        case unprotected
        /// The address cannot be listened on.
        case address
    }
    /// What kind of failure this is.
    public let code: Code
    /// What is wrong and what to do, for a person.
    public let detail: String

    init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }

    /// One line: what, and what to do.
    public var description: String { "cannot serve: \(detail)" }
}
