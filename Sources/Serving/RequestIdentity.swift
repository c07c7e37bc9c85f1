internal import Hummingbird
internal import HummingbirdCore
internal import Objects
internal import Storage

/// The names of headers that HTTPTypes does not define.
enum HeaderName {
    static let requestID = name("X-Request-Id")
    static let timeout = name("X-Request-Timeout")
    static let contentTypeOptions = name("X-Content-Type-Options")
    static let referrerPolicy = name("Referrer-Policy")
    static let forwarded = name("Forwarded")
    static let forwardedFor = name("X-Forwarded-For")

    private static func name(_ text: String) -> HTTPFields.Element.Name {
        guard let name = HTTPFields.Element.Name(text) else {
            preconditionFailure("a name of a header")
        }
        return name
    }
}

/// Who sent a request, and what it is called.
enum RequestIdentity {
    /// The client's identity of a request if it is well-formed, or a new one.
    static func id(_ headers: HTTPFields) -> String {
        if let id = headers[HeaderName.requestID], (1...128).contains(id.utf8.count),
            id.utf8.allSatisfy(isPlain)
        {
            return id
        }
        var generator = SystemRandomNumberGenerator()
        // Every word is a call of the system.
        let words = [generator.next(), generator.next()]
        let bytes = words.flatMap { word in
            (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * UInt64($0))) }
        }
        return "req-" + Hexadecimal.encode(Array(bytes.prefix(12)))
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
        default: false
        }
    }

    /// The addresses that proxies name, the client first; those of `Forwarded` only without `X-Forwarded-For`.
    static func forwarded(_ headers: HTTPFields) -> [String] {
        if headers.contains(HeaderName.forwardedFor) {
            return headers[values: HeaderName.forwardedFor].flatMap { value in
                value.split(separator: ",", omittingEmptySubsequences: false).map(address)
            }
        }
        return headers[values: HeaderName.forwarded].flatMap { value in
            value.split(separator: ",", omittingEmptySubsequences: false).map { element in
                let pair = element.split(separator: ";").map { $0.trimmed }.first { pair in
                    pair.lowercased().hasPrefix("for=")
                }
                return address((pair ?? "").dropFirst(4))
            }
        }
    }

    /// An address without quotes, brackets and port.
    private static func address(_ text: Substring) -> String {
        var text = text.trimmed
        if text.hasPrefix("\""), text.hasSuffix("\""), text.count > 1 {
            text = text.dropFirst().dropLast()
        }
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            return String(text[text.index(after: text.startIndex)..<end])
        }
        let colons = text.utf8.count { $0 == UInt8(ascii: ":") }
        if colons == 1, let colon = text.firstIndex(of: ":") { text = text[..<colon] }
        return String(text)
    }
}

extension Substring {
    /// The text without spaces and tabs around it.
    fileprivate var trimmed: Substring {
        var text = self
        while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return text
    }
}
