/// The address of one API of a service: an `http` or `https` URL.
///
/// Its printed and stored form omits user information and the query, because both may hold a secret.
public struct ServiceAddress: Sendable, Hashable, CustomStringConvertible {
    /// The address without the parts that may be secret.
    public let description: String
    /// The API at the address.
    public let api: ServiceAPI
    /// The full address, for requests.
    let full: String
    /// The user information without its `@`, as `user:password`; nil where there is none.
    let userInformation: [UInt8]?
    /// The query without its `?`; nil where there is none.
    let query: [UInt8]?

    /// The maximum number of bytes of an address.
    static let byteLimit = 2048

    /// Parses an address, such as `http://llm:8000/v1`.
    ///
    /// The path of the API, such as `/embeddings`, is appended; it replaces the path of another API at the end.
    ///
    /// - Throws: ``Malformed``, which does not repeat the text.
    public init(_ text: String, of api: ServiceAPI = .embeddings) throws(Malformed) {
        let bytes = Array(text.utf8)
        guard bytes.count <= Self.byteLimit else { throw Malformed("is too long") }
        guard bytes.allSatisfy({ 0x21...0x7E ~= $0 && $0 != UInt8(ascii: "\\") }) else {
            throw Malformed("has spaces, backslashes, control or non-ASCII characters")
        }
        guard let schemeEnd = bytes.firstIndex(of: UInt8(ascii: ":")),
            bytes[schemeEnd...].starts(with: "://".utf8)
        else { throw Malformed("does not begin with https:// or http://") }
        let scheme = String(decoding: bytes[..<schemeEnd].map { $0 | 0x20 }, as: UTF8.self)
        guard scheme == "http" || scheme == "https" else {
            throw Malformed("has a scheme that is neither https nor http")
        }
        guard !bytes.contains(UInt8(ascii: "#")) else { throw Malformed("has a fragment") }
        let rest = bytes[(schemeEnd + 3)...]
        let pathStart = rest.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") }
        let authority = rest[..<(pathStart ?? rest.endIndex)]
        let at = authority.lastIndex(of: UInt8(ascii: "@"))
        let place = authority[(at.map { $0 + 1 } ?? authority.startIndex)...]
        guard Self.isPlace(place) else { throw Malformed("has no valid host, or an invalid port") }
        let tail = rest[(pathStart ?? rest.endIndex)...]
        let queryStart = tail.firstIndex(of: UInt8(ascii: "?")) ?? tail.endIndex
        var path = Array(tail[..<queryStart])
        while path.last == UInt8(ascii: "/") { path.removeLast() }
        for known in ServiceAPI.allCases.map({ Array($0.path.utf8) })
        where path.suffix(known.count).elementsEqual(known) {
            path.removeLast(known.count)
            break
        }
        path += Array(api.path.utf8)
        self.api = api
        func joined(_ parts: ArraySlice<UInt8>...) -> String {
            "\(scheme)://" + String(decoding: parts.joined(), as: UTF8.self)
        }
        userInformation = at.map { Array(authority[..<$0]) }
        query = queryStart < tail.endIndex ? Array(tail[(queryStart + 1)...]) : nil
        description = joined(place, path[...])
        full = joined(authority, path[...], tail[queryStart...])
    }

    /// The address of another API of the same service.
    func with(_ api: ServiceAPI) throws(Malformed) -> ServiceAddress {
        try ServiceAddress(full, of: api)
    }

    /// Whether bytes are a host, optionally with a port.
    private static func isPlace(_ place: ArraySlice<UInt8>) -> Bool {
        var host = place
        var port: ArraySlice<UInt8>?
        if place.first == UInt8(ascii: "["), let end = place.firstIndex(of: UInt8(ascii: "]")) {
            host = place[(place.startIndex + 1)..<end]
            guard host.allSatisfy({ isHexadecimal($0) || $0 == 0x3A || $0 == 0x2E }) else {
                return false
            }
            let after = place[(end + 1)...]
            if !after.isEmpty {
                guard after.first == UInt8(ascii: ":") else { return false }
                port = after.dropFirst()
            }
        } else {
            if let colon = place.firstIndex(of: UInt8(ascii: ":")) {
                host = place[..<colon]
                port = place[(colon + 1)...]
            }
            guard host.allSatisfy({ isName($0) }) else { return false }
        }
        if let port {
            guard 1...5 ~= port.count, port.allSatisfy({ 0x30...0x39 ~= $0 }) else { return false }
            let number = port.reduce(0) { $0 * 10 + Int($1 - 0x30) }
            guard 1...65_535 ~= number else { return false }
        }
        return !host.isEmpty
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        0x30...0x39 ~= byte || 0x61...0x66 ~= byte | 0x20
    }

    private static func isName(_ byte: UInt8) -> Bool {
        0x30...0x39 ~= byte || 0x61...0x7A ~= byte | 0x20 || byte == 0x2D || byte == 0x2E
            || byte == 0x5F
    }

    /// Why a text is not the address of a service.
    public struct Malformed: Error, Hashable {
        /// The predicate of a sentence whose subject is the address.
        public let reason: String

        init(_ reason: String) { self.reason = reason }
    }
}
