internal import Hummingbird
internal import NIOCore
internal import NIOHTTP1

/// The rules for the head of a request that NIO's parser leaves open. They keep out requests that two programs could
/// read differently, which is what request smuggling needs.
enum RequestRules {
    /// Checks the head of a request.
    ///
    /// - Returns: The head with a target that begins with a slash.
    static func checked(
        _ head: HTTPRequestHead, _ limits: ServerLimits
    ) throws(HTTPFailure) -> HTTPRequestHead {
        guard head.version == .http1_1 || head.version == .http1_0 else {
            throw HTTPFailure(
                .httpVersionNotSupported, "the server speaks HTTP/1.1 and HTTP/1.0",
                code: "version_not_supported")
        }
        guard head.method != .CONNECT else {
            throw HTTPFailure(.notImplemented, "CONNECT is not supported", code: "not_supported")
        }
        guard head.uri.utf8.count <= limits.targetBytes else {
            throw HTTPFailure(
                .uriTooLong, "the target is longer than \(limits.targetBytes) bytes",
                code: "target_too_long")
        }
        var head = head
        try checkFraming(head)
        let host = try host(head)
        head.uri = try target(head, host)
        return head
    }

    private static func malformed(_ reason: String) -> HTTPFailure {
        HTTPFailure(.badRequest, reason, code: "malformed_request")
    }

    private static func checkFraming(_ head: HTTPRequestHead) throws(HTTPFailure) {
        let lengths = head.headers["content-length"]
        let codings = head.headers["transfer-encoding"]
        guard lengths.count <= 1, codings.isEmpty || lengths.isEmpty else {
            throw malformed("the length of the body is given twice")
        }
        for length in lengths
        where length.isEmpty || length.utf8.count > 18
            || !length.utf8.allSatisfy({ (0x30...0x39).contains($0) })
        {
            throw malformed("Content-Length is not a number")
        }
        guard !codings.isEmpty else { return }
        guard codings.count == 1, codings[0].lowercased() == "chunked",
            head.version == .http1_1
        else { throw malformed("Transfer-Encoding is not 'chunked'") }
    }

    /// The only `Host` header; nil where HTTP/1.0 has none.
    private static func host(_ head: HTTPRequestHead) throws(HTTPFailure) -> HostName? {
        let hosts = head.headers["host"]
        guard hosts.count == 1 || hosts.isEmpty && head.version == .http1_0 else {
            throw malformed("a request has one Host header")
        }
        guard let text = hosts.first else { return nil }
        guard let host = HostName(text) else { throw malformed("the Host header is malformed") }
        return host
    }

    /// The path and the query of the target.
    private static func target(
        _ head: HTTPRequestHead, _ host: HostName?
    ) throws(HTTPFailure) -> String {
        let isVisible = head.uri.utf8.allSatisfy { byte in
            (0x21...0x7E).contains(byte) && byte != UInt8(ascii: "#") && byte != UInt8(ascii: "\\")
        }
        guard isVisible else { throw malformed("the target has a character that must be encoded") }
        var target = Substring(head.uri)
        if !target.hasPrefix("/") {
            // The absolute form, which every server must accept; its authority must agree with the Host header.
            let lowercased = target.prefix(8).lowercased()
            let scheme = ["http://", "https://"].first { lowercased.hasPrefix($0) }
            guard let scheme else { throw malformed("the target is not a path") }
            let rest = target.dropFirst(scheme.count)
            let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
            guard let host, HostName(String(rest[..<end])) == host else {
                throw malformed("the target names another host than the Host header")
            }
            target = rest[end...]
            if !target.hasPrefix("/") { target = "/" + target }
        }
        let path = target.prefix { $0 != "?" }
        let mayHide = path.utf8.contains(UInt8(ascii: "%")) || path.contains("/.")
        guard !mayHide || !PathSegment.climbs(path) else { throw RouteList.unknownPath }
        guard !mayHide || PathSegment.isPath(path) else {
            throw malformed("the path is malformed")
        }
        return String(target)
    }

    /// What to answer when the parser gave up.
    ///
    /// - Parameter beginning: The first bytes of the request, as far as they are known.
    static func failure(_ error: HTTPParserError, beginning: ByteBuffer?) -> HTTPFailure {
        switch error {
        case .invalidMethod where isMethod(beginning):
            HTTPFailure(.notImplemented, "the method is not known", code: "not_supported")
        case .headerOverflow:
            HTTPFailure(
                .requestHeaderFieldsTooLarge, "the headers are larger than the server accepts",
                code: "headers_too_large")
        case .invalidVersion:
            HTTPFailure(
                .httpVersionNotSupported, "the server speaks HTTP/1.1 and HTTP/1.0",
                code: "version_not_supported")
        default: malformed("the request is not HTTP")
        }
    }

    /// Whether a request begins with what could be a method, rather than with another protocol.
    private static func isMethod(_ beginning: ByteBuffer?) -> Bool {
        guard let bytes = beginning?.readableBytesView else { return false }
        let word = bytes.prefix { (0x41...0x5A).contains($0) || $0 == UInt8(ascii: "-") }
        return word.count > 1 && bytes[word.endIndex...].starts(with: " /".utf8)
    }
}
