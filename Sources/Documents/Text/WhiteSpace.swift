/// Normalizes white space and control characters.
package enum WhiteSpace {
    /// Collapses each sequence of white space and control characters into one space, and drops white space at both ends
    /// and invisible formatting characters anywhere.
    static func collapsed(_ text: String) -> String {
        var result: [UInt8] = []
        result.reserveCapacity(text.utf8.count)
        var isPending = false
        for scalar in text.unicodeScalars {
            if isSpace(scalar) || isControl(scalar) {
                isPending = true
            } else if !isInvisible(scalar) {
                if isPending, !result.isEmpty { result.append(0x20) }
                isPending = false
                append(scalar, to: &result)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Returns ``collapsed(_:)`` text; nil if nothing is left.
    static func nonEmpty(_ text: String) -> String? {
        let text = collapsed(text)
        return text.isEmpty ? nil : text
    }

    /// Removes white space at both ends.
    static func trimmed(_ text: String) -> String {
        let start = text.unicodeScalars.drop(while: isSpace)
        return String(withoutTrailing(Substring(start)))
    }

    /// Removes trailing white space.
    static func withoutTrailing(_ text: Substring) -> Substring {
        var scalars = text.unicodeScalars
        while let last = scalars.last, isSpace(last) { scalars.removeLast() }
        return Substring(scalars)
    }

    /// Keeps the white space and invisible characters inside lines, but drops trailing white space and leading and
    /// trailing empty lines, merges consecutive empty lines, and turns control characters into spaces.
    static func lines(_ text: String) -> String {
        var result: [UInt8] = []
        result.reserveCapacity(text.utf8.count)
        // Where the trailing white space of the current line begins.
        var lineEnd = 0
        var newlines = 0
        var lineStart = 0
        func endLine() {
            result.removeSubrange(lineEnd...)
            if lineEnd > lineStart { newlines = 0 }
            newlines += 1
            lineStart = result.count
            lineEnd = lineStart
        }
        func add(_ scalar: Unicode.Scalar) {
            if result.count == lineStart, lineStart > 0 {
                // If the line turns out to be empty, `endLine` removes this again.
                for _ in 0..<min(newlines, 2) { result.append(0x0A) }
            }
            append(scalar, to: &result)
        }
        var wasReturn = false
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\r": endLine()
            case "\n": if !wasReturn { endLine() }
            case "\t": add(scalar)
            default:
                add(isControl(scalar) ? " " : scalar)
                if !isSpace(scalar), !isControl(scalar) { lineEnd = result.count }
            }
            wasReturn = scalar == "\r"
        }
        endLine()
        return String(decoding: result, as: UTF8.self)
    }

    /// Appends a scalar to UTF-8 bytes.
    package static func append(_ scalar: Unicode.Scalar, to bytes: inout [UInt8]) {
        if scalar.value < 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: scalar.value))
        } else {
            bytes.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        }
    }

    /// Whether a scalar is white space in Unicode.
    package static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x80
            ? scalar.value == 0x20 || scalar.value &- 0x09 < 5 : scalar.properties.isWhitespace
    }

    /// Whether a scalar is a C0 or C1 control or DEL, which separates words.
    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value)
    }

    /// Whether a scalar has no width and no meaning in running text. Joiners stay: scripts and emoji need them.
    private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0xAD, 0x200B, 0x2060, 0xFEFF: true
        default: false
        }
    }
}

/// Counts the words of a text that arrives in parts, which may end inside a word.
///
/// A word is a sequence without ASCII white space that has a letter, a digit or a non-ASCII character.
struct WordCounter: Equatable {
    /// The words so far.
    private(set) var count = 0
    private var isInside = false

    /// Counts the words of the next part.
    mutating func add(_ text: String) { for byte in text.utf8 { add(byte) } }

    /// Counts the next byte of UTF-8 text.
    mutating func add(_ byte: UInt8) {
        if byte == 0x20 || byte &- 0x09 < 5 {
            isInside = false
        } else if !isInside, Self.isPart(byte) {
            count += 1
            isInside = true
        }
    }

    private static func isPart(_ byte: UInt8) -> Bool {
        byte >= 0x80 || (0x61...0x7A).contains(byte | 0x20) || (0x30...0x39).contains(byte)
    }

    /// Ends the current word.
    mutating func endWord() { isInside = false }

    /// Counts the words of UTF-8 text.
    static func count(_ text: some Sequence<UInt8>) -> Int {
        var counter = WordCounter()
        for byte in text { counter.add(byte) }
        return counter.count
    }
}

extension Collection<UInt8> {
    /// The number of words: sequences of bytes without ASCII white space or control characters.
    var wordCount: Int {
        var count = 0
        var isInside = false
        for byte in self {
            let isWord = byte > 0x20
            if isWord, !isInside { count += 1 }
            isInside = isWord
        }
        return count
    }
}
