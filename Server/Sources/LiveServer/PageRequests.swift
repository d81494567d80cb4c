import NIOHTTP1

/// Which requests a page of this machine makes, and no other.
///
/// The server listens on 127.0.0.1, but any page in a browser on this machine could ask it: by its
/// own name, which its own name server has pointed here, or across origins. So a request must name
/// this machine, and where it comes from a page that must be this server's own.
struct PageRequests {
    /// Whether a request is answered.
    func admits(_ head: HTTPRequestHead) -> Bool {
        let hosts = head.headers["host"]
        guard hosts.count == 1, Self.names.contains(Self.name(hosts[0])) else { return false }
        let origins = head.headers["origin"]
        return origins.isEmpty || origins == ["http://\(hosts[0])"]
    }

    private static let names = ["127.0.0.1", "localhost", "[::1]"]

    /// A host without its port, which differs from the server's behind a tunnel.
    private static func name(_ host: String) -> String {
        guard let colon = host.lastIndex(of: ":"),
            host[host.index(after: colon)...].allSatisfy({
                ("0"..."9").contains($0)
            })
        else { return host.lowercased() }
        return host[..<colon].lowercased()
    }
}
