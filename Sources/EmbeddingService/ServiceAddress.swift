internal import Artifacts
internal import Storage

/// Where an embedding service answers: an `http` or `https` URL.
///
/// What it prints and what is stored of it have neither user information nor a query, because both may hold a
/// secret.
public struct ServiceAddress: Sendable, Hashable, CustomStringConvertible {
    /// The address without anything that may be secret.
    public let description: String
    /// The whole address, as requests need it.
    let full: String
    /// What stands before the host, as `user:password`, without the `@`; nil where nothing does.
    let userInformation: [UInt8]?
    /// What stands behind the `?`; nil where nothing does.
    let query: [UInt8]?

    /// Longer addresses are none.
    static let byteLimit = 2048

    /// Reads an address; `/embeddings` is added where its path does not end so.
    ///
    /// - Throws: ``Malformed``, which does not repeat the text.
    public init(_ text: String) throws(Malformed) {
        let bytes = Array(text.utf8)
        guard bytes.count <= Self.byteLimit else { throw Malformed("is too long") }
        guard bytes.allSatisfy({ 0x21...0x7E ~= $0 && $0 != UInt8(ascii: "\\") }) else {
            throw Malformed("has spaces, control characters or characters that are not ASCII")
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
        guard Self.isPlace(place) else { throw Malformed("names no host, or an impossible port") }
        let tail = rest[(pathStart ?? rest.endIndex)...]
        let queryStart = tail.firstIndex(of: UInt8(ascii: "?")) ?? tail.endIndex
        var path = Array(tail[..<queryStart])
        while path.last == UInt8(ascii: "/") { path.removeLast() }
        if !path.suffix(Self.ending.count).elementsEqual(Self.ending) { path += Self.ending }
        func joined(_ parts: ArraySlice<UInt8>...) -> String {
            "\(scheme)://" + String(decoding: parts.joined(), as: UTF8.self)
        }
        userInformation = at.map { Array(authority[..<$0]) }
        query = queryStart < tail.endIndex ? Array(tail[(queryStart + 1)...]) : nil
        description = joined(place, path[...])
        full = joined(authority, path[...], tail[queryStart...])
    }

    private static let ending = Array("/embeddings".utf8)

    /// Whether bytes are a host, perhaps with a port.
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

    /// Why text is no address of a service.
    public struct Malformed: Error, Hashable {
        /// The end of a sentence that begins with the address.
        public let reason: String

        init(_ reason: String) { self.reason = reason }
    }
}
