internal import Glibc

/// The terminal behind a file descriptor.
public struct Terminal: Sendable {
    /// Whether the descriptor is a terminal.
    public let isTerminal: Bool
    /// The number of columns: the terminal's, else `$COLUMNS` but at least 20, else 80.
    public let width: Int
    /// Whether to use colour: on a terminal, unless `NO_COLOR` is set or `TERM` is `dumb`.
    public let hasColor: Bool

    /// Queries a descriptor of this process.
    init(descriptor: Int32) {
        isTerminal = isatty(descriptor) == 1
        hasColor =
            isTerminal && Environment.variable("NO_COLOR") == nil
            && Environment.variable("TERM") != "dumb"
        var size = winsize()
        if isTerminal, ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 {
            width = Int(size.ws_col)
        } else {
            width = Environment.variable("COLUMNS").flatMap { Int($0) }.map { max($0, 20) } ?? 80
        }
    }
}

/// Colours and weights for text on a terminal; leaves text plain elsewhere.
///
/// Marks in the text stand for colours until ``StandardStream`` writes the line and replaces them with escape sequences.
public struct Style: Sendable {
    /// Whether text is coloured at all.
    public let isEnabled: Bool

    /// Creates a style; one that is not enabled returns every text unchanged.
    public init(isEnabled: Bool) { self.isEnabled = isEnabled }

    /// The SGR code of each mark; the last one resets all others.
    private static let codes: [UInt32] = [1, 2, 32, 31, 33, 36, 35, 0]
    /// The first mark. Marks are noncharacters, which Unicode reserves for use within a program. Untrusted text may
    /// contain them too, but can at worst colour itself.
    private static let firstMark: UInt32 = 0xFDD0

    /// The SGR code of a mark; nil for any other scalar.
    static func code(of scalar: Unicode.Scalar) -> UInt32? {
        guard scalar.value >= firstMark else { return nil }
        let index = Int(scalar.value - firstMark)
        return codes.indices.contains(index) ? codes[index] : nil
    }

    private func marked(_ text: String, _ mark: UInt32) -> String {
        guard isEnabled, !text.isEmpty,
            let begin = Unicode.Scalar(Self.firstMark + mark),
            let end = Unicode.Scalar(Self.firstMark + UInt32(Self.codes.count - 1))
        else { return text }
        return "\(begin)\(text)\(end)"
    }

    /// Important text.
    public func bold(_ text: String) -> String { marked(text, 0) }
    /// Secondary text.
    public func dim(_ text: String) -> String { marked(text, 1) }
    /// Additions and improvements.
    public func green(_ text: String) -> String { marked(text, 2) }
    /// Removals, losses and errors.
    public func red(_ text: String) -> String { marked(text, 3) }
    /// Ids.
    public func yellow(_ text: String) -> String { marked(text, 4) }
    /// Ref names.
    public func cyan(_ text: String) -> String { marked(text, 5) }
    /// Kinds and other labels.
    public func magenta(_ text: String) -> String { marked(text, 6) }
}

extension String {
    /// The number of terminal columns that this text occupies.
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

    /// This text cut to a number of columns, with an ellipsis if it is longer.
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

extension String {
    /// The lines of this text, wrapped between words to a number of columns.
    ///
    /// Lines after the first are indented up to four columns deeper and continue the vertical rails of a drawing (`│`).
    /// A word longer than a line stays whole.
    public func wrapped(to width: Int) -> [String] {
        guard utf8.count > width, displayWidth > width else { return [self] }
        let rail = rail
        let hang = min(4, max(0, width / 2 - rail.displayWidth))
        let indent = rail + String(repeating: " ", count: hang)
        var lines: [String] = []
        var line = ""
        var used = 0
        var hasWord = false
        for word in words {
            let wordWidth = word.text.displayWidth
            if hasWord, used + word.space + wordWidth > width, wordWidth > 0 {
                lines.append(line)
                line = indent + word.text
                used = indent.displayWidth + wordWidth
            } else {
                line += String(repeating: " ", count: word.space) + word.text
                used += word.space + wordWidth
            }
            if word.text.contains(where: { !Self.rails.contains($0) }) { hasWord = true }
        }
        return lines + [line]
    }

    /// The characters that lines of a drawing begin with.
    private static let rails: Set<Character> = ["│", "├", "└", "─", "●", "○", "✕", " "]

    /// The prefix of continuation lines: the first line's indentation with the rails that continue below it.
    private var rail: String {
        String(String.UnicodeScalarView(unicodeScalars.filter { Style.code(of: $0) == nil })).prefix
        {
            Self.rails.contains($0)
        }.reduce(into: "") { rail, character in
            rail += character == "│" || character == "├" ? "│" : " "
        }
    }

    /// The words, each with the number of spaces before it.
    private var words: [(space: Int, text: String)] {
        var words: [(space: Int, text: String)] = []
        var space = 0
        for part in utf8.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false) {
            if part.isEmpty {
                space += 1
            } else {
                words.append((space, String(decoding: part, as: UTF8.self)))
                space = 1
            }
        }
        return words
    }
}

/// A table of text whose columns are aligned. Cells may contain the marks of a ``Style``.
public struct Columns: Sendable {
    /// The alignment of a column.
    public enum Alignment: Sendable {
        /// Text.
        case left
        /// Numbers.
        case right
    }

    private let alignments: [Alignment]
    private var rows: [[String]] = []

    /// Creates an empty table with one alignment per column.
    public init(_ alignments: [Alignment]) { self.alignments = alignments }

    /// Adds a row.
    public mutating func append(_ cells: [String]) { rows.append(cells) }

    /// The lines, without trailing spaces.
    public var lines: [String] {
        let widths = alignments.indices.map { column in
            rows.map { $0.indices.contains(column) ? $0[column].displayWidth : 0 }.max() ?? 0
        }
        return rows.map { cells in
            var line = ""
            for (column, cell) in cells.enumerated() {
                let space = String(repeating: " ", count: widths[column] - cell.displayWidth)
                let isLast = column == cells.count - 1
                switch alignments[column] {
                case .left: line += cell + (isLast ? "" : space)
                case .right: line += space + cell
                }
                if !isLast { line += "  " }
            }
            while line.last == " " { line.removeLast() }
            return line
        }
    }
}
