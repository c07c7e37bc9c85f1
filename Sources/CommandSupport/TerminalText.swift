internal import Objects

/// Text on its way to where a person may read it.
///
/// Nothing that a terminal would obey leaves a process, except the colours of ``Style``: control characters, and marks
/// that reorder or hide text, are spelled as escapes. ``StandardStream`` writes every line through here, so that no
/// command can forget it.
enum TerminalText {
    /// The bytes of one line, with its line feed; a line feed within the text is escaped as well.
    ///
    /// - Parameter hasColor: Whether the looks of ``Style`` become colours.
    static func line(_ text: String, hasColor: Bool) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count + 1)
        if text.isPlain {
            bytes += text.utf8
        } else {
            append(text, to: &bytes, keeping: "\t", hasColor: hasColor)
        }
        bytes.append(0x0A)
        return bytes
    }

    /// Canonical JSON with a line feed. On a terminal what it might obey is escaped, which is the same JSON; elsewhere the
    /// bytes are those of RFC 8785.
    static func line(_ json: JSON, isTerminal: Bool) -> [UInt8] {
        let bytes = json.canonicalBytes
        guard isTerminal else { return bytes + [0x0A] }
        return Array(String(decoding: bytes, as: UTF8.self).escapedInJSON.utf8) + [0x0A]
    }

    /// Appends a text, escaped but for some control characters that are wanted.
    static func append(
        _ text: String, to bytes: inout [UInt8], keeping wanted: String, hasColor: Bool
    ) {
        let wanted = wanted.unicodeScalars
        var previous: Unicode.Scalar = " "
        for scalar in text.unicodeScalars {
            if scalar.isHarmless(after: previous) || wanted.contains(scalar) {
                bytes += UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter
            } else if hasColor, let code = Style.code(of: scalar) {
                bytes += "\u{1B}[\(code)m".utf8
            } else {
                bytes += "\\u{\(String(scalar.value, radix: 16))}".utf8
            }
            previous = scalar
        }
    }
}

extension Unicode.Scalar {
    /// Whether a terminal only shows it, where it follows another one.
    func isHarmless(after previous: Unicode.Scalar) -> Bool {
        switch value {
        case 0x20..<0x7F: true
        // Control characters; marks of direction, also those without width; separators of lines; tags.
        case 0..<0x20, 0x7F...0x9F, 0x061C, 0x180E, 0x200B, 0x200E...0x200F, 0x2028...0x202E,
            0x2060...0x206F, 0xFEFF, 0xFFF9...0xFFFB, 0xE0000...0xE007F:
            false
        // The looks of `Style`.
        case 0xFDD0...0xFDEF: false
        // Joiners, which Persian, Indic scripts and emoji need, and nothing else does.
        case 0x200C...0x200D:
            previous.value >= 0x0600 && !(0x2000...0x206F).contains(previous.value)
                && previous.isHarmless(after: " ")
        default: true
        }
    }
}

extension String {
    /// Whether this is printable ASCII, as nearly all text is.
    fileprivate var isPlain: Bool { utf8.allSatisfy { (0x20..<0x7F).contains($0) } }

    /// This text without anything that a terminal would obey: control characters and marks that reorder or hide text
    /// are spelled as escapes. Line feeds and tabs stay when `multiline` is true.
    public func printable(multiline: Bool = false) -> String {
        guard !isPlain else { return self }
        var bytes: [UInt8] = []
        TerminalText.append(
            self, to: &bytes, keeping: multiline ? "\n\t" : "", hasColor: false)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// This JSON with `\uXXXX` in the place of what a terminal would obey: the same value.
    public var escapedInJSON: String {
        guard !isPlain else { return self }
        var result = ""
        var previous: Unicode.Scalar = " "
        for scalar in unicodeScalars {
            if scalar.isHarmless(after: previous) {
                result.unicodeScalars.append(scalar)
            } else {
                for unit in String(scalar).utf16 {
                    let digits = String(unit, radix: 16)
                    result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                }
            }
            previous = scalar
        }
        return result
    }
}
