import Testing

/// A request that a client should not send, and what must come of it.
struct HostileRequest: CustomTestStringConvertible, Sendable {
    /// What the client does after it has sent the bytes.
    enum After: Sendable {
        /// Waits for the answer.
        case waits
        /// Closes its sending side.
        case stopsSending
        /// Leaves at once.
        case leaves
    }

    let name: String
    /// What is sent, with a pause after each part but the last.
    let parts: [[UInt8]]
    /// What is right: lists of the statuses of all responses, empty for a connection that is closed without one.
    let statuses: [[Int]]
    /// The handlers that may be reached.
    let reaches: [String]
    let after: After

    var testDescription: String { name }

    init(
        _ name: String, _ parts: String..., status: Int..., reaches: [String] = [],
        after: After = .waits
    ) {
        self.init(
            name, bytes: parts.map { Array($0.utf8) },
            statuses: status.isEmpty ? [[]] : status.map { [$0] }, reaches: reaches, after: after)
    }

    init(
        _ name: String, bytes: [[UInt8]], statuses: [[Int]], reaches: [String] = [],
        after: After = .waits
    ) {
        self.name = name
        parts = bytes
        self.statuses = statuses
        self.reaches = reaches
        self.after = after
    }
}

extension HostileRequest {
    private static let host = "Host: localhost\r\n"
    private static let json = "Content-Type: application/json\r\n"
    private static let hello = "GET /hello/a HTTP/1.1\r\nHost: localhost\r\n"
    private static let post = "POST /json HTTP/1.1\r\nHost: localhost\r\n" + json
    private static let smuggled = "GET /hello/smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"

    static let all: [HostileRequest] =
        requestLines + headers + framing + targets + hosts + protocols + behaviour

    static let requestLines: [HostileRequest] = [
        .init("a line of nonsense", "hello world\r\n\r\n", status: 400),
        .init("an unknown method", "FOO /hello/a HTTP/1.1\r\n\(host)\r\n", status: 501),
        .init("a lower-case method", "get /hello/a HTTP/1.1\r\n\(host)\r\n", status: 400),
        .init("no target", "GET HTTP/1.1\r\n\(host)\r\n", status: 400),
        .init(
            "two spaces", "GET  /hello/a HTTP/1.1\r\n\(host)Connection: close\r\n\r\n", status: 200,
            reaches: ["hello"]),
        .init("a tab for a space", "GET\t/hello/a HTTP/1.1\r\n\(host)\r\n", status: 400),
        .init("a space in the target", "GET /hello/a b HTTP/1.1\r\n\(host)\r\n", status: 400),
        .init("HTTP/0.9", "GET /hello/a\r\n\r\n", status: 400, 505),
        .init("HTTP/1.2", "GET /hello/a HTTP/1.2\r\n\(host)\r\n", status: 400, 505),
        .init("HTTP/2.0", "GET /hello/a HTTP/2.0\r\n\(host)\r\n", status: 400, 505),
        .init("HTTP/11.1", "GET /hello/a HTTP/11.1\r\n\(host)\r\n", status: 400, 505),
        .init("another protocol", "GET /hello/a ICAP/1.0\r\n\(host)\r\n", status: 400),
        .init("bare line feeds", "GET /hello/a HTTP/1.1\nHost: localhost\n\n", status: 400, 505),
        .init("a bare carriage return", "GET /hello/a HTTP/1.1\rHost: a\r\r", status: 400),
        .init(
            "a zero byte in the line", "GET /hello/\0a HTTP/1.1\r\n\(host)\r\n", status: 400),
        .init(
            "a long target",
            "GET /hello/\(String(repeating: "a", count: 9000)) HTTP/1.1\r\n\(host)\r\n",
            status: 414),
        .init(
            "an endless target", "GET /hello/\(String(repeating: "a", count: 100_000))",
            status: 431),
    ]

    static let headers: [HostileRequest] = [
        .init("a folded header", hello + "X-A: b\r\n c\r\n\r\n", status: 400),
        .init("a space before the colon", hello + "X-A : b\r\n\r\n", status: 400),
        .init("a header without colon", hello + "X-A\r\n\r\n", status: 400),
        .init("a header without name", hello + ": b\r\n\r\n", status: 400),
        .init(
            "a space before the first header", "GET /hello/a HTTP/1.1\r\n Host: a\r\n\r\n",
            status: 400),
        .init("a zero byte in a value", hello + "X-A: b\0c\r\n\r\n", status: 400),
        .init("a carriage return in a value", hello + "X-A: b\rc\r\n\r\n", status: 400),
        .init("a line feed in the headers", hello + "X-A: b\nX-B: c\r\n\r\n", status: 400),
        .init("a control character in a name", hello + "X\u{1}A: b\r\n\r\n", status: 400),
        .init("a letter outside ASCII in a name", hello + "X-Ä: b\r\n\r\n", status: 400),
        .init(
            "a large header", hello + "X-A: \(String(repeating: "b", count: 40_000))\r\n\r\n",
            status: 431),
        .init(
            "many headers",
            hello + (0..<200).map { "X-\($0): a\r\n" }.joined() + "\r\n", status: 431),
        .init(
            "20,000 headers", hello + String(repeating: "a:b\r\n", count: 20_000) + "\r\n",
            status: 431),
        .init(
            "1,300 ranges",
            hello + "Connection: close\r\nRange: bytes="
                + (0..<1300).map { "\($0)-\($0)" }.joined(separator: ",") + "\r\n\r\n",
            status: 200, reaches: ["hello"]),
        .init(
            "headers without end",
            hello + String(repeating: "X-A: \(String(repeating: "b", count: 1000))\r\n", count: 60),
            status: 431),
    ]

    static let framing: [HostileRequest] = [
        .init(
            "two different lengths", post + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",
            status: 400),
        .init(
            "the same length twice", post + "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
            status: 400),
        .init("a list of lengths", post + "Content-Length: 2, 2\r\n\r\n{}", status: 400),
        .init("a negative length", post + "Content-Length: -2\r\n\r\n{}", status: 400),
        .init("a signed length", post + "Content-Length: +2\r\n\r\n{}", status: 400),
        .init("a hexadecimal length", post + "Content-Length: 0x2\r\n\r\n{}", status: 400),
        .init("an empty length", post + "Content-Length: \r\n\r\n{}", status: 400),
        .init(
            "a length beyond 64 bits", post + "Content-Length: 99999999999999999999\r\n\r\n{}",
            status: 400),
        .init(
            "a length beyond the limit", post + "Content-Length: 99999999\r\n\r\n{}", status: 413),
        .init(
            "a length and chunks",
            post + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled,
            status: 400),
        .init(
            "chunks and a length",
            post + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + smuggled,
            status: 400),
        .init(
            "another coding", post + "Transfer-Encoding: gzip\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
            status: 400),
        .init(
            "chunked and another coding",
            post + "Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", status: 400),
        .init(
            "another coding after chunked",
            post + "Transfer-Encoding: chunked, identity\r\n\r\n2\r\n{}\r\n0\r\n\r\n", status: 400),
        .init(
            "chunked twice",
            post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            status: 400),
        .init(
            "a coding like chunked", post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
            status: 400),
        .init(
            "chunked with a control character",
            post + "Transfer-Encoding: \u{B}chunked\r\n\r\n0\r\n\r\n", status: 400),
        .init(
            "chunks in HTTP/1.0",
            "POST /json HTTP/1.0\r\n\(host)\(json)Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
            status: 400),
        .init(
            "a chunk size that is no number",
            post + "Transfer-Encoding: chunked\r\n\r\nxx\r\n{}\r\n0\r\n\r\n", status: 400),
        .init(
            "a negative chunk size",
            post + "Transfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n", status: 400),
        .init(
            "a chunk size with 0x",
            post + "Transfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n", status: 400),
        .init(
            "a chunk size beyond 64 bits",
            post + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}", status: 400),
        .init(
            "a chunk size before a line feed",
            post + "Transfer-Encoding: chunked\r\n\r\n2\n{}\n0\n\n", status: 400),
        .init(
            "a chunk longer than its size",
            post + "Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n", status: 400),
        .init(
            "an empty line before the chunks",
            post + "Transfer-Encoding: chunked\r\n\r\n\n2\r\n{}\r\n0\r\n\r\n", status: 400),
        .init(
            "trailers without end",
            post + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"
                + String(repeating: "X-A: \(String(repeating: "b", count: 1000))\r\n", count: 60),
            status: 400, 431),
    ]

    static let targets: [HostileRequest] = [
        .init("dots in the path", "GET /hello/../metrics HTTP/1.1\r\n\(host)\r\n", status: 404),
        .init("encoded dots", "GET /hello/%2e%2e HTTP/1.1\r\n\(host)\r\n", status: 404),
        .init("half-encoded dots", "GET /hello/.%2E/a HTTP/1.1\r\n\(host)\r\n", status: 404),
        .init(
            "dots behind an encoded slash", "GET /hello/a%2f..%2fb HTTP/1.1\r\n\(host)\r\n",
            status: 404),
        .init(
            "an encoded way to a file",
            "GET /%2e%2e%2f%2e%2e%2fetc%2fpasswd HTTP/1.1\r\n\(host)\r\n",
            status: 404),
        .init("a backslash", "GET /hello/..\\a HTTP/1.1\r\n\(host)\r\n", status: 400),
        .init("an encoded backslash", "GET /hello/..%5ca HTTP/1.1\r\n\(host)\r\n", status: 404),
        .init(
            "dots encoded twice",
            "GET /hello/%252e%252e HTTP/1.1\r\n\(host)Connection: close\r\n\r\n",
            status: 200, reaches: ["hello"]),
        .init("overlong UTF-8", "GET /hello/%c0%ae%c0%ae HTTP/1.1\r\n\(host)\r\n", status: 400),
        .init("invalid UTF-8", "GET /hello/%ff HTTP/1.1\r\n\(host)\r\n", status: 400),
        .init("an encoded zero byte", "GET /hello/a%00b HTTP/1.1\r\n\(host)\r\n", status: 400),
        .init("an encoded line feed", "GET /hello/a%0d%0ab HTTP/1.1\r\n\(host)\r\n", status: 400),
        .init("half an escape", "GET /hello/a%2 HTTP/1.1\r\n\(host)\r\n", status: 400),
        .init("a fragment", "GET /hello/a#b HTTP/1.1\r\n\(host)\r\n", status: 400),
        .init("an asterisk", "OPTIONS * HTTP/1.1\r\n\(host)\r\n", status: 400),
        .init(
            "another host in the target", "GET http://evil/hello/a HTTP/1.1\r\n\(host)\r\n",
            status: 400),
        .init("a file target", "GET file:///etc/passwd HTTP/1.1\r\n\(host)\r\n", status: 400),
        .init(
            "a user in the target", "GET http://a@localhost/hello/a HTTP/1.1\r\n\(host)\r\n",
            status: 400),
        .init("a bare name", "GET hello/a HTTP/1.1\r\n\(host)\r\n", status: 400),
        .init("CONNECT", "CONNECT localhost:80 HTTP/1.1\r\n\(host)\r\n", status: 501),
        .init("TRACE", "TRACE /hello/a HTTP/1.1\r\n\(host)Connection: close\r\n\r\n", status: 405),
    ]

    static let hosts: [HostileRequest] = [
        .init("no host", "GET /hello/a HTTP/1.1\r\n\r\n", status: 400),
        .init("two hosts", hello + "Host: evil\r\n\r\n", status: 400),
        .init("an empty host", "GET /hello/a HTTP/1.1\r\nHost:\r\n\r\n", status: 400),
        .init(
            "another host",
            "GET /hello/a HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
            status: 421),
        .init(
            "a host that begins like ours",
            "GET /hello/a HTTP/1.1\r\nHost: localhost.evil.example\r\nConnection: close\r\n\r\n",
            status: 421),
        .init(
            "a path in the host", "GET /hello/a HTTP/1.1\r\nHost: localhost/a\r\n\r\n", status: 400),
        .init(
            "a port that is none", "GET /hello/a HTTP/1.1\r\nHost: localhost:99999\r\n\r\n",
            status: 400),
        .init(
            "a list of hosts", "GET /hello/a HTTP/1.1\r\nHost: localhost, evil\r\n\r\n", status: 400
        ),
    ]

    static let protocols: [HostileRequest] = [
        .init("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", status: 400, 505),
        .init(
            "a TLS handshake",
            bytes: [
                [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xFC, 0x03, 0x03]
                    + Array(repeating: 0xAB, count: 200)
            ],
            statuses: [[400]]),
        .init("an SSH greeting", "SSH-2.0-OpenSSH_9.6\r\n", status: 400),
        .init(
            "an upgrade to HTTP/2",
            hello
                + "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n",
            status: 200, reaches: ["hello"]),
        .init(
            "an upgrade to WebSocket with a request behind it",
            hello + "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n"
                + smuggled,
            status: 200, reaches: ["hello"]),
        .init("an unknown expectation", hello + "Expect: a-pony\r\n\r\n", status: 417),
        .init(
            "an expectation and no body",
            post + "Expect: 100-continue\r\nContent-Length: 99999999\r\n\r\n",
            status: 413),
        .init(
            "a random binary",
            bytes: [(0..<500).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ 13) }],
            statuses: [[400], []]),
        .init("empty lines only", String(repeating: "\r\n", count: 10), status: 408),
    ]

    static let behaviour: [HostileRequest] = [
        .init("nothing at all", ""),
        .init("half a request line", "GET /hel", status: 408),
        .init("half the headers", hello, status: 408),
        .init("half the headers, then the end", hello, status: 400, after: .stopsSending),
        .init("half a body", post + "Content-Length: 10\r\n\r\n{", status: 408),
        .init(
            "half a body, then the end", post + "Content-Length: 10\r\n\r\n{", status: 400,
            after: .stopsSending),
        .init("half a chunk", post + "Transfer-Encoding: chunked\r\n\r\n5\r\n{", status: 408),
        .init(
            "a good request and a bad one", bytes: [Array((hello + "\r\nnonsense\r\n\r\n").utf8)],
            statuses: [[200, 400]], reaches: ["hello"]),
        .init("leaves after half the headers", hello, after: .leaves),
        .init("leaves after half a body", post + "Content-Length: 10\r\n\r\n{", after: .leaves),
    ]
}
