/// How much one client, and all clients together, may ask of a server.
public struct ServerLimits: Sendable {
    /// The bytes of the request line and all headers; more are answered with 431.
    public var headerBytes = 32 << 10
    /// The number of headers; more are answered with 431.
    public var headers = 100
    /// The bytes of the path and the query; more are answered with 414.
    public var targetBytes = 8 << 10
    /// The bytes of a request's body; more are answered with 413.
    public var bodyBytes = 4 << 20

    /// The bytes of all bodies that are being received, beyond the first 64 KiB of each; more are answered with 429.
    public var bodyBytesInAll = 128 << 20

    /// From the connection, or from the first byte of a later request, to the end of the headers (and of the TLS
    /// handshake); then 408.
    public var headerTime = Duration.seconds(10)
    /// How long the client may let the server wait for a body in all, on top of the time that the received part may
    /// take at ``bodyRate``; then 408.
    public var bodyTime = Duration.seconds(10)
    /// The least rate of a body, in bytes a second.
    public var bodyRate = 32 << 10
    /// How long a connection may stay open between requests.
    public var idleTime = Duration.seconds(60)
    /// How long a client may take none of the bytes of a response; then the connection is closed.
    public var stallTime = Duration.seconds(30)
    /// How long a request may take, unless its `X-Request-Timeout` header asks for less; then 504.
    public var requestTime = Duration.seconds(120)

    /// The number of connections; more are closed when they are accepted.
    public var connections = 4096
    /// The number of connections of one client: an IPv4 address, or an IPv6 network of 64 bits.
    public var connectionsPerAddress = 256
    /// The number of requests that are handled at once, not counting those whose body is still coming; more are
    /// answered with 429.
    public var requests = 1024
    /// The number of pieces of work that may wait in a ``WorkPool``; more are answered with 429.
    public var queue = 256

    /// The default limits.
    public init() {}

    /// Throws unless every limit can be kept.
    public func check() throws(ServingError) {
        let counts = [
            ("headerBytes", headerBytes, 256), ("headers", headers, 4),
            ("targetBytes", targetBytes, 64), ("bodyBytes", bodyBytes, 0),
            ("bodyBytesInAll", bodyBytesInAll, 0), ("bodyRate", bodyRate, 1),
            ("connections", connections, 1),
            ("connectionsPerAddress", connectionsPerAddress, 1), ("requests", requests, 1),
            ("queue", queue, 0),
        ]
        for (name, value, least) in counts where value < least || value > 1 << 40 {
            throw .setting(key: "limits.\(name)", reason: "\(value) is not from \(least) to 2^40")
        }
        let times = [
            ("headerTime", headerTime), ("bodyTime", bodyTime), ("idleTime", idleTime),
            ("stallTime", stallTime), ("requestTime", requestTime),
        ]
        for (name, value) in times where value <= .zero || value > .seconds(86400) {
            throw .setting(
                key: "limits.\(name)", reason: "\(value) is not more than 0 s and at most a day")
        }
    }
}
