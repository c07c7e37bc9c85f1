/// What must not get into a log or a snapshot, because those are for ever.
public enum Secrets {
    /// How keys of well-known services begin, and how many letters, digits, `-` and `_` follow at least.
    private static let shapes: [(prefix: String, count: Int)] = [
        ("AKIA", 16), ("ASIA", 16), ("ghp_", 36), ("gho_", 36), ("ghs_", 36), ("github_pat_", 40),
        ("glpat-", 20), ("hf_", 30), ("sk-ant-", 20), ("sk-proj-", 20), ("sk-", 40),
        ("xoxb-", 20), ("xoxp-", 20), ("AIza", 35), ("npm_", 36), ("pypi-", 40),
    ]

    /// The beginning of something that looks like a secret key; nil when there is none.
    ///
    /// Finds what is pasted by mistake, not what somebody hides.
    public static func find(in text: String) -> String? {
        let bytes = Array(text.utf8)
        for word in bytes.split(whereSeparator: { !isPart($0) }) {
            for (prefix, count) in shapes
            where word.count >= prefix.utf8.count + count && word.starts(with: prefix.utf8) {
                return prefix
            }
        }
        return holdsPrivateKey(bytes) ? "-----BEGIN" : nil
    }

    private static func isPart(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x5F: true
        default: false
        }
    }

    private static func holdsPrivateKey(_ bytes: [UInt8]) -> Bool {
        bytes.split(separator: 0x0A).contains { line in
            let line = line.drop { $0 == 0x20 || $0 == 0x09 }
            let end = Array("PRIVATE KEY-----".utf8)
            guard line.starts(with: "-----BEGIN ".utf8), line.count >= end.count else {
                return false
            }
            return line.indices.contains { line[$0...].starts(with: end) }
        }
    }

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

    /// The text as it may be shown: without user names and passwords of URLs, and without what stands behind the `?` of
    /// one, where keys are.
    public static func redacted(_ text: String) -> String {
        let bytes = Array(withoutCredentials(text).utf8)
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

    /// What is wrong with a message or a parameter; nil when nothing is.
    static func objection(to text: String) -> String? {
        find(in: text).map {
            "it holds what looks like a secret key (\($0)...), and a log keeps everything for ever"
        }
    }
}
