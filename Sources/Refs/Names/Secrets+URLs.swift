extension Secrets {
    /// The text without the user names and passwords of URLs in it: `https://u:p@host/x` becomes `https://host/x`.
    public static func withoutCredentials(_ text: String) -> String {
        let bytes = Array(text.utf8)
        let mark = Array("://".utf8)
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            guard bytes[index...].starts(with: mark) else {
                result.append(bytes[index])
                index += 1
                continue
            }
            result += mark
            index += mark.count
            let end = bytes[index...].firstIndex { isEndOfHost($0) } ?? bytes.count
            if let at = bytes[index..<end].lastIndex(of: 0x40) { index = at + 1 }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// The text as it may be shown: without secret keys, without user names and passwords of URLs, and without the
    /// query of a URL, where keys are.
    public static func redacted(_ text: String) -> String {
        let bytes = Array(masked(withoutCredentials(text)).utf8)
        let mark = Array("://".utf8)
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            guard bytes[index...].starts(with: mark) else {
                result.append(bytes[index])
                index += 1
                continue
            }
            let end = bytes[index...].firstIndex { isEndOfURL($0) } ?? bytes.count
            let query = bytes[index..<end].firstIndex(of: 0x3F)
            result += bytes[index..<(query ?? end)]
            if query != nil { result += Array("?...".utf8) }
            index = end
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
