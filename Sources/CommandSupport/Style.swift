/// Colours and weights for text on a terminal; plain text everywhere else.
public struct Style: Sendable {
    /// Whether escape sequences are written at all.
    public let isEnabled: Bool

    /// Makes a style that is on or off.
    public init(isEnabled: Bool) { self.isEnabled = isEnabled }

    private func wrap(_ text: String, _ code: String) -> String {
        isEnabled && !text.isEmpty ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }

    /// Important text.
    public func bold(_ text: String) -> String { wrap(text, "1") }
    /// Text of second rank.
    public func dim(_ text: String) -> String { wrap(text, "2") }
    /// What was added or got better.
    public func green(_ text: String) -> String { wrap(text, "32") }
    /// What was removed or got worse.
    public func red(_ text: String) -> String { wrap(text, "31") }
    /// Identities.
    public func yellow(_ text: String) -> String { wrap(text, "33") }
    /// Names of refs.
    public func cyan(_ text: String) -> String { wrap(text, "36") }
    /// Kinds and other labels.
    public func magenta(_ text: String) -> String { wrap(text, "35") }
}

extension String {
    /// This text without anything that a terminal would obey: control characters and marks that
    /// reorder text are spelled as escapes. Line feeds and tabs stay when `multiline` is true.
    public func printable(multiline: Bool = false) -> String {
        func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
            switch scalar.value {
            case 0x09, 0x0A: multiline
            case 0..<0x20, 0x7F...0x9F, 0x202A...0x202E, 0x2066...0x2069: false
            default: true
            }
        }
        guard !unicodeScalars.allSatisfy(isHarmless) else { return self }
        var result = ""
        for scalar in unicodeScalars {
            if isHarmless(scalar) {
                result.unicodeScalars.append(scalar)
            } else {
                result += "\\u{\(String(scalar.value, radix: 16))}"
            }
        }
        return result
    }

    /// The number of terminal columns that this text takes, without escape sequences in it.
    public var displayWidth: Int {
        var width = 0
        for character in self {
            guard let scalar = character.unicodeScalars.first else { continue }
            switch scalar.value {
            case 0x300...0x36F, 0x200B...0x200F, 0xFE00...0xFE0F: break
            case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF,
                0xFE30...0xFE6F, 0xFF00...0xFF60, 0x1F300...0x1FAFF, 0x20000...0x3FFFD:
                width += 2
            default: width += 1
            }
        }
        return width
    }

    /// This text with spaces behind it up to a number of columns.
    public func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - displayWidth))
    }

    /// This text with spaces before it up to a number of columns.
    public func leftPadded(to width: Int) -> String {
        String(repeating: " ", count: max(0, width - displayWidth)) + self
    }

    /// This text, cut with an ellipsis where it needs more than a number of columns.
    public func truncated(to width: Int) -> String {
        guard displayWidth > width else { return self }
        var result = ""
        for character in self {
            guard (result + String(character)).displayWidth < width else { break }
            result.append(character)
        }
        return result + "…"
    }
}
