public import Objects

/// Finds secrets that must not get into the log, which is permanent, or into a snapshot, which is stored for long.
///
/// It finds keys that were pasted by mistake, not keys that somebody hides.
public enum Secrets {
    /// The public beginning of the first likely secret key in a text; nil when there is none.
    ///
    /// Takes time linear in the length of the text.
    public static func find(in text: String) -> String? {
        firstMatch(in: Array(text.utf8), from: 0)?.name
    }

    /// The public beginning of the first likely secret key in a JSON value; nil when there is none. It searches
    /// strings, the names of members, and each name together with its string.
    public static func find(in json: JSON) -> String? {
        switch json {
        case .null, .bool, .number, .float: return nil
        case .string(let text): return find(in: text)
        case .array(let values):
            for value in values { if let name = find(in: value) { return name } }
            return nil
        case .object(let members):
            for member in members {
                // Some secret keys have no shape of their own: the name before them gives them away.
                let found =
                    member.value.string.map { find(in: "\(member.key)=\($0)") }
                    ?? find(in: member.key) ?? find(in: member.value)
                if let found { return found }
            }
            return nil
        }
    }

    /// The text with the secret parts of keys replaced by `...`.
    static func masked(_ text: String) -> String {
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        var copied = 0
        while let match = firstMatch(in: bytes, from: copied) {
            result += bytes[copied..<match.range.lowerBound]
            result += Array("\(match.name)...".utf8)
            copied = match.range.upperBound
        }
        return copied == 0 ? text : String(decoding: result + bytes[copied...], as: UTF8.self)
    }

    /// A likely secret key.
    struct Match {
        /// The public beginning of the key.
        let name: String
        /// The bytes of the key.
        let range: Range<Int>
    }

    private static func firstMatch(in bytes: [UInt8], from start: Int) -> Match? {
        var index = start
        while index < bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "-") {
                let dashes = bytes[index...].prefix { $0 == UInt8(ascii: "-") }.count
                if let match = PrivateKeyText.match(bytes, dashes: index..<index + dashes) {
                    return match
                }
                index += dashes
                continue
            }
            // Secret keys begin at the beginning of a word.
            if byte.isAlphanumeric {
                if let match = SecretShape.match(bytes, at: index) { return match }
                index += 1
                while index < bytes.count, bytes[index].isAlphanumeric { index += 1 }
            } else {
                index += 1
            }
        }
        return nil
    }
}

// MARK: Checks of transactions

extension Secrets {
    /// The reason why the log must not contain an entry with this content; nil when it may.
    static func objection(writer: String, message: String, actions: [Action]) -> String? {
        if let name = find(in: writer) { return objection("the name of the writer", name) }
        if let name = find(in: message) { return objection("the message", name) }
        for action in actions {
            switch action {
            case .override(_, let reason):
                if let name = find(in: reason) { return objection("the reason", name) }
            case .accessPolicy(let accessPolicy?):
                if let name = find(in: accessPolicy.json) {
                    return objection("the access policy", name)
                }
            case .ref(let ref, old: nil, new: _?, _):
                if let name = find(in: ref.text) { return objection("the name of a ref", name) }
            case .ref, .accessPolicy, .format, .pack, .unpack, .approve, .retain: break
            }
        }
        return nil
    }

    /// The reason why a snapshot must not be stored; nil when it may.
    static func objection(to snapshot: Snapshot) -> String? {
        let parts: [(String, JSON)] = [
            ("the message", .string(snapshot.message)), ("a parameter", .object(snapshot.params)),
            ("the name of a metric", .array(snapshot.metrics.keys.sorted().map { .string($0) })),
            ("the role of an input", .array(snapshot.inputs.keys.sorted().map { .string($0) })),
            ("the producer", snapshot.producer.json),
        ]
        for (place, json) in parts {
            if let name = find(in: json) { return objection(place, name) }
        }
        return nil
    }

    private static func objection(_ place: String, _ name: String) -> String {
        "\(place) contains a likely secret key (\(name)...), and log entries are permanent"
    }
}

extension Secrets {
    /// The text without the user names and passwords of its URLs: `https://u:p@host/x` becomes `https://host/x`.
    public static func withoutCredentials(_ text: String) -> String {
        rewritingURLs(in: Array(text.utf8)) { rest, result in
            let host = rest.dropFirst(urlMark.count)
            result += urlMark
            let end = host.firstIndex(where: isEndOfHost) ?? host.endIndex
            return host[..<end].lastIndex(of: 0x40).map { $0 + 1 } ?? host.startIndex
        }
    }

    /// The text for display: without secret keys, and without the credentials and queries of URLs, because queries
    /// often contain keys.
    public static func redacted(_ text: String) -> String {
        rewritingURLs(in: Array(masked(withoutCredentials(text)).utf8)) { rest, result in
            let end = rest.firstIndex(where: isEndOfURL) ?? rest.endIndex
            let query = rest[..<end].firstIndex(of: 0x3F)
            result += rest[..<(query ?? end)]
            if query != nil { result += Array("?...".utf8) }
            return end
        }
    }

    private static let urlMark = Array("://".utf8)

    /// Copies a text, and at each `://` lets `rewrite` replace the beginning of the rest.
    ///
    /// - Parameter rewrite: Appends the replacement, and returns the index at which copying resumes.
    private static func rewritingURLs(
        in bytes: [UInt8], _ rewrite: (ArraySlice<UInt8>, inout [UInt8]) -> Int
    ) -> String {
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index...].starts(with: urlMark) {
                index = rewrite(bytes[index...], &result)
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Whether a byte ends a URL in text: white space, quotes, brackets.
    private static func isEndOfURL(_ byte: UInt8) -> Bool {
        switch byte {
        case 0...0x20, 0x22, 0x27, 0x28, 0x29, 0x3C, 0x3E, 0x60, 0x7B, 0x7D: true
        default: false
        }
    }

    /// Whether a byte ends the host of a URL in text: `/`, `?`, `#`, white space, quotes, brackets.
    private static func isEndOfHost(_ byte: UInt8) -> Bool {
        switch byte {
        case 0...0x20, 0x22, 0x23, 0x27, 0x28, 0x29, 0x2F, 0x3C, 0x3E, 0x3F, 0x60: true
        default: false
        }
    }
}
