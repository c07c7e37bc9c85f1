public import Objects

/// The passages that an answer cites.
public struct Citations: Hashable, Sendable {
    /// The numbers of the cited passages, ascending; the model saw all of them.
    public var shown: [Int]
    /// The number of citations that were removed because they named passages that the model did not see.
    public var removed: Int

    /// Makes a record of citations.
    public init(shown: [Int] = [], removed: Int = 0) {
        self.shown = shown
        self.removed = removed
    }

    /// The citations as the record of an answer holds them.
    public var json: JSON {
        ["shown": .array(shown.map { .integer($0) }), "removed": .integer(removed)]
    }
}

/// Removes citations of passages that the model did not see from its answer, while the answer streams.
///
/// A citation is a list of numbers of one to three digits in brackets: `[1]`, `[1, 3]`. Each number that is not the
/// number of a passage is removed and counted, with its brackets and the space before them when none is left. All other
/// text stays: `[x]`, `[2026]`, links such as `[1](https://example.com)` and `[text][1]`, an index `a[0]`, and everything
/// in code between backticks or fences. However the text is split into parts, the result is the same.
public struct CitationFilter: Sendable {
    /// The maximum number of digits of a citation's number.
    static let longestNumber = 3
    /// The most bytes that may wait until it is known whether they are a citation.
    private static let longestHeld = 4096
    /// The most spaces that may wait for a citation after them.
    private static let mostSpaces = 128
    /// The most bytes of code between backticks; a backtick that begins more is stray.
    private static let longestSpan = 1024

    /// The citations so far.
    public var citations: Citations { Citations(shown: cited.sorted(), removed: removed) }

    private let count: Int
    private var cited: Set<Int> = []
    private var removed = 0

    private enum State { case text, bracket, closed([Int]) }
    private var state = State.text
    /// Spaces that are dropped together with a citation after them.
    private var spaces: [UInt8] = []
    /// What may become a citation, from its opening bracket.
    private var held: [UInt8] = []
    private var code = CodeTracker()
    /// What follows a run of backticks, until another run closes the code or the first turns out to be stray.
    private var span: [UInt8] = []
    /// The byte before ``spaces``; a line feed at the start.
    private var previous = UInt8(ascii: "\n")
    /// Whether ``previous`` closes a citation.
    private var isAfterCitation = false
    /// Whether a citation that began a line was removed, so that a space after it would begin the line.
    private var skipsSpace = false
    private var output: [UInt8] = []

    /// Starts at the beginning of an answer whose passages have the numbers from 1 to `shown`.
    public init(shown: Int) { count = shown }

    /// Takes a part of the answer, and returns the text that is certain by now.
    public mutating func pass(_ part: String) -> String {
        for byte in part.utf8 { take(byte) }
        return taken()
    }

    /// Ends the answer, and returns the rest of its text.
    public mutating func finish() -> String {
        while code.isInSpan {
            code.finish()
            if code.isInSpan { readSpanAsText() } else { emitSpan() }
        }
        switch state {
        case .closed(let numbers): resolve(numbers, before: nil)
        case .bracket, .text: release()
        }
        return taken()
    }

    private mutating func taken() -> String {
        defer { output.removeAll(keepingCapacity: true) }
        return String(decoding: output, as: UTF8.self)
    }

    private mutating func take(_ byte: UInt8) {
        switch state {
        case .closed(let numbers):
            state = .text
            if byte == UInt8(ascii: "(") { release() } else { resolve(numbers, before: byte) }
            takeText(byte)
        case .bracket:
            switch byte {
            case 0x30...0x39, 0x20, UInt8(ascii: ","), UInt8(ascii: ";"):
                held.append(byte)
                if held.count > Self.longestHeld { release() }
            case UInt8(ascii: "]"):
                held.append(byte)
                if let numbers { state = .closed(numbers) } else { release() }
            default:
                release()
                takeText(byte)
            }
        case .text: takeText(byte)
        }
    }

    private mutating func takeText(_ byte: UInt8) {
        if skipsSpace {
            skipsSpace = false
            if byte == 0x20 { return }
        }
        code.take(byte)
        if code.isInSpan {
            takeCode(byte)
            return
        }
        emitSpan()
        if code.isInside {
            release()
            emit(byte)
        } else if byte == 0x20, spaces.count < Self.mostSpaces {
            spaces.append(byte)
        } else if byte == UInt8(ascii: "[") {
            held = [byte]
            state = .bracket
        } else {
            release()
            emit(byte)
        }
    }

    private mutating func takeCode(_ byte: UInt8) {
        if byte == 0x0A {
            readSpanAsText()
            take(byte)
        } else {
            span.append(byte)
            if span.count > Self.longestSpan { readSpanAsText() }
        }
    }

    /// Reads again, as text, what follows a stray backtick.
    private mutating func readSpanAsText() {
        code.leaveSpan()
        let text = span
        span = []
        for byte in text { take(byte) }
    }

    /// Passes code that its closing backticks have ended.
    private mutating func emitSpan() {
        for byte in span { emit(byte) }
        span = []
    }

    private mutating func emit(_ byte: UInt8) {
        output.append(byte)
        previous = byte
        isAfterCitation = false
    }

    /// Passes what was held as it is.
    private mutating func release() {
        for byte in spaces + held { emit(byte) }
        spaces = []
        held = []
        state = .text
    }

    /// The numbers of the held citation; nil when it is none.
    private var numbers: [Int]? {
        guard let numbers = Self.numbers(in: held.dropFirst().dropLast()) else { return nil }
        guard spaces.isEmpty else { return numbers }
        // The label of a reference link follows the link's text; 0 after a name is an index.
        let isLabel = previous == UInt8(ascii: "]") && !isAfterCitation
        return isLabel || numbers.contains(0) && isOfName(previous) ? nil : numbers
    }

    /// The numbers between the brackets of a citation; nil where these are something else.
    ///
    /// - Parameter inner: Digits, spaces, commas and semicolons.
    static func numbers(in inner: ArraySlice<UInt8>) -> [Int]? {
        var numbers: [Int] = []
        for item in inner.split(
            omittingEmptySubsequences: false,
            whereSeparator: { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: ";") })
        {
            let digits = item.drop { $0 == 0x20 }.reversed().drop { $0 == 0x20 }.reversed()
            guard 1...longestNumber ~= digits.count, !digits.contains(0x20) else { return nil }
            numbers.append(digits.reduce(0) { $0 * 10 + Int($1 - 0x30) })
        }
        return numbers
    }

    private func isOfName(_ byte: UInt8) -> Bool {
        0x30...0x39 ~= byte || 0x61...0x7A ~= byte | 0x20 || byte == UInt8(ascii: "_")
            || byte == UInt8(ascii: ")") || byte == UInt8(ascii: "]")
    }

    /// Passes the numbers of a citation that name passages.
    ///
    /// - Parameter next: The byte after the citation; nil at the end of the answer.
    private mutating func resolve(_ numbers: [Int], before next: UInt8?) {
        let kept = numbers.filter { 1...max(1, count) ~= $0 && count > 0 }
        cited.formUnion(kept)
        removed += numbers.count - kept.count
        if kept.isEmpty {
            held = []
            if spaces.isEmpty { skipsSpace = previous == 0x0A }
            switch next {
            // A citation that follows gets the spaces; between words, one stays.
            case UInt8(ascii: "[")?: break
            case .some(let next)
            where next >= 0x80 || isOfName(next) && next != 0x29 && next != 0x5D:
                release()
            default: spaces = []
            }
        } else {
            if kept.count < numbers.count {
                held = Array("[\(kept.map(String.init).joined(separator: ", "))]".utf8)
            }
            release()
            isAfterCitation = true
        }
        state = .text
    }
}

/// Tells code from text in Markdown that arrives byte by byte.
private struct CodeTracker {
    private enum Place {
        case text
        /// Between runs of backticks of a length.
        case span(Int)
        /// Between lines that begin with a run of backticks or tildes of at least a length.
        case fence(UInt8, Int)
    }

    private var place = Place.text
    private var isLineStart = true
    private var run = (byte: UInt8(0), count: 0, startsLine: false)

    /// Whether the last byte belongs to code, or to the marks around it.
    var isInside: Bool {
        if run.count > 0 { return true }
        guard case .text = place else { return true }
        return false
    }

    /// Whether the last byte follows an opening run of backticks that no run has closed before it.
    var isInSpan: Bool {
        if case .span = place { true } else { false }
    }

    /// Treats the opening run of a span as text. The bytes after it must be taken again.
    mutating func leaveSpan() {
        place = .text
        run = (0, 0, false)
        isLineStart = false
    }

    /// Ends the text.
    mutating func finish() { endRun() }

    mutating func take(_ byte: UInt8) {
        if byte == UInt8(ascii: "`") || byte == UInt8(ascii: "~") {
            if run.byte != byte {
                endRun()
                run = (byte, 0, isLineStart)
            }
            run.count += 1
            isLineStart = false
            return
        }
        endRun()
        if byte == 0x0A {
            isLineStart = true
        } else if byte != 0x20 {
            isLineStart = false
        }
    }

    private mutating func endRun() {
        defer { run = (0, 0, false) }
        guard run.count > 0 else { return }
        switch place {
        case .text where run.startsLine && run.count >= 3: place = .fence(run.byte, run.count)
        case .text: if run.byte == UInt8(ascii: "`") { place = .span(run.count) }
        case .span(let count):
            if run.byte == UInt8(ascii: "`"), run.count == count { place = .text }
        case .fence(let byte, let count):
            if run.startsLine, run.byte == byte, run.count >= count { place = .text }
        }
    }
}
