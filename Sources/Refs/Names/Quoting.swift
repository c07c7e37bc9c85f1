internal import Objects

/// How foreign text appears in messages: on one line, without control characters, of bounded length.
enum Quoting {
    /// The most bytes of foreign text that a message repeats.
    private static let limit = 100

    /// The text in quotes; control characters are written as `\xNN`.
    static func quoted(_ bytes: some Collection<UInt8>, limit: Int = limit) -> String {
        let shown = Array(bytes.prefix(limit))
        var text = ""
        // Cutting at the limit may split a character, whose bytes then show as replacements.
        for scalar in String(decoding: shown, as: UTF8.self).unicodeScalars {
            switch scalar.value {
            case 0..<0x20, 0x7F: text += "\\x" + Hexadecimal.encode([UInt8(scalar.value)])
            case 0x80..<0xA0, 0x200B...0x200F, 0x202A...0x202E, 0x2060...0x2069, 0xFEFF: text += "?"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return "'\(text)\(bytes.count > limit ? "..." : "")'"
    }

    /// The same without the quotes; only for showing, never for looking something up.
    static func plain(_ text: String, limit: Int = limit) -> String {
        String(quoted(Array(text.utf8), limit: limit).dropFirst().dropLast())
    }

    static func quoted(_ text: some StringProtocol) -> String { quoted(Array(text.utf8)) }
}
