extension Secrets {
    /// The text without the user names and passwords of URLs in it: `https://u:p@host/x` becomes `https://host/x`.
    public static func withoutCredentials(_ text: String) -> String {
        rewritingURLs(in: Array(text.utf8)) { rest, result in
            let host = rest.dropFirst(urlMark.count)
            result += urlMark
            let end = host.firstIndex(where: isEndOfHost) ?? host.endIndex
            return host[..<end].lastIndex(of: 0x40).map { $0 + 1 } ?? host.startIndex
        }
    }

    /// The text as it may be shown: without secret keys, without user names and passwords of URLs, and without the
    /// query of a URL, where keys are.
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

    /// Copies a text, and at each `://` lets `rewrite` append what replaces the beginning of the rest.
    ///
    /// - Parameter rewrite: Returns where the rest goes on that is copied.
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

    /// What ends a URL in text: white space, quotes, brackets.
    private static func isEndOfURL(_ byte: UInt8) -> Bool {
        switch byte {
        case 0...0x20, 0x22, 0x27, 0x28, 0x29, 0x3C, 0x3E, 0x60, 0x7B, 0x7D: true
        default: false
        }
    }

    /// What ends the host of a URL, in text: `/`, `?`, `#`, white space, quotes, brackets.
    private static func isEndOfHost(_ byte: UInt8) -> Bool {
        switch byte {
        case 0...0x20, 0x22, 0x23, 0x27, 0x28, 0x29, 0x2F, 0x3C, 0x3E, 0x3F, 0x60: true
        default: false
        }
    }
}
