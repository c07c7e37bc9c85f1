/// Colours and weights for text on a terminal; plain text everywhere else.
///
/// A look is marked in the text, and becomes an escape sequence when ``StandardStream`` writes the line.
public struct Style: Sendable {
    /// Whether escape sequences are written at all.
    public let isEnabled: Bool

    /// Makes a style that is on or off.
    public init(isEnabled: Bool) { self.isEnabled = isEnabled }

    /// The looks, by the code that a terminal has for each; the last one ends all others.
    private static let codes: [UInt32] = [1, 2, 32, 31, 33, 36, 35, 0]
    /// What stands for a look in a text until the text is written: scalars that Unicode reserves for use within a
    /// program. Text from outside may hold them too, and is coloured at worst, where an escape sequence that is let
    /// through could do anything.
    private static let firstMark: UInt32 = 0xFDD0

    /// The terminal's code of a look, when a scalar stands for one.
    static func code(of scalar: Unicode.Scalar) -> UInt32? {
        guard scalar.value >= firstMark else { return nil }
        let index = Int(scalar.value - firstMark)
        return codes.indices.contains(index) ? codes[index] : nil
    }

    private func wrap(_ text: String, _ look: UInt32) -> String {
        guard isEnabled, !text.isEmpty,
            let begin = Unicode.Scalar(Self.firstMark + look),
            let end = Unicode.Scalar(Self.firstMark + UInt32(Self.codes.count - 1))
        else { return text }
        return "\(begin)\(text)\(end)"
    }

    /// Important text.
    public func bold(_ text: String) -> String { wrap(text, 0) }
    /// Text of second rank.
    public func dim(_ text: String) -> String { wrap(text, 1) }
    /// What was added or got better.
    public func green(_ text: String) -> String { wrap(text, 2) }
    /// What was removed or got worse.
    public func red(_ text: String) -> String { wrap(text, 3) }
    /// Identities.
    public func yellow(_ text: String) -> String { wrap(text, 4) }
    /// Names of refs.
    public func cyan(_ text: String) -> String { wrap(text, 5) }
    /// Kinds and other labels.
    public func magenta(_ text: String) -> String { wrap(text, 6) }
}

extension String {
    /// The number of terminal columns that this text takes.
    public var displayWidth: Int {
        var width = 0
        for character in self {
            guard let scalar = character.unicodeScalars.first else { continue }
            switch scalar.value {
            case 0x300...0x36F, 0x200B...0x200F, 0xFDD0...0xFDEF, 0xFE00...0xFE0F: break
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
