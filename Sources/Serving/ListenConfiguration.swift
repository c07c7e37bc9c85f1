/// Where a server listens, and for whom.
public struct ListenConfiguration: Sendable {
    /// A certificate chain and its private key, in PEM files.
    public struct TLS: Hashable, Sendable {
        /// The path of the certificate, followed by the certificates of its issuers.
        public var certificate: String
        /// The path of the private key.
        public var key: String

        /// Names the files. They are read when the server starts, and again whenever one changes.
        public init(certificate: String, key: String) {
            (self.certificate, self.key) = (certificate, key)
        }
    }

    /// An IPv4 or IPv6 address, such as `127.0.0.1`, `0.0.0.0` or `::`; `localhost` means `127.0.0.1`.
    public var address: String
    /// The port; 0 lets the system choose one.
    public var port: Int
    /// The certificate; nil to serve plain HTTP.
    public var tls: TLS?
    /// The names by which clients may address the server, without port. Where empty, a server on a loopback address
    /// accepts `localhost`, `127.0.0.1`, `[::1]` and its own address, which keeps web pages of other origins out, and
    /// a server on another address accepts any name.
    public var hosts: [String]
    /// The proxies whose `X-Forwarded-For` and `Forwarded` headers are believed, and which may open any number of
    /// connections.
    public var proxies: [AddressRange]

    /// Makes a configuration; ``HTTPServer`` checks it.
    public init(
        address: String = "127.0.0.1", port: Int = 8080, tls: TLS? = nil, hosts: [String] = [],
        proxies: [AddressRange] = []
    ) {
        self.address = address
        self.port = port
        self.tls = tls
        self.hosts = hosts
        self.proxies = proxies
    }

    /// Whether only the machine itself can reach the server.
    public var isLoopback: Bool { IPAddress(boundAddress)?.isLoopback ?? false }

    /// The address as a literal.
    var boundAddress: String { address == "localhost" ? "127.0.0.1" : address }

    /// The names that requests may use, in lower case; nil for any.
    var acceptedHosts: Set<String>? {
        if !hosts.isEmpty { return Set(hosts.map { $0.lowercased() }) }
        guard isLoopback else { return nil }
        let own = address.contains(":") ? "[\(address)]" : address
        return ["localhost", "127.0.0.1", "[::1]", own.lowercased()]
    }

    /// Throws unless every member can be used.
    public func check() throws(ServingError) {
        guard IPAddress(boundAddress) != nil else {
            throw .setting(key: "listen.address", reason: "'\(address)' is not an IP address")
        }
        guard (0...65535).contains(port) else {
            throw .setting(key: "listen.port", reason: "\(port) is not from 0 to 65535")
        }
        for host in hosts where HostName(host, mayHavePort: false) == nil {
            throw .setting(
                key: "listen.hosts", reason: "'\(host)' is not the name of a host without port")
        }
    }
}

/// The value of a `Host` header: a name, an IPv4 address or an IPv6 address in brackets, and perhaps a port.
struct HostName: Equatable {
    /// The name in lower case.
    let name: String
    /// The port; nil where there is none.
    let port: Int?

    /// Parses a value; nil for anything that is not a host.
    init?(_ text: String, mayHavePort: Bool = true) {
        var name = Substring(text)
        var port: Int?
        let afterBracket = text.lastIndex(of: "]") ?? text.startIndex
        if let colon = text[afterBracket...].lastIndex(of: ":") {
            let digits = text[text.index(after: colon)...]
            guard mayHavePort, (1...5).contains(digits.utf8.count),
                digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let number = Int(digits), number <= 65535
            else { return nil }
            port = number
            name = text[..<colon]
        }
        guard (1...255).contains(name.utf8.count) else { return nil }
        if name.hasPrefix("["), name.hasSuffix("]") {
            let inner = String(name.dropFirst().dropLast())
            guard inner.contains(":"), IPAddress(inner) != nil else { return nil }
        } else {
            let isName = name.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
                default: false
                }
            }
            guard isName else { return nil }
        }
        // A final dot makes a name absolute and names the same host.
        self.name = (name.hasSuffix(".") ? name.dropLast() : name).lowercased()
        self.port = port
        guard !self.name.isEmpty else { return nil }
    }
}
