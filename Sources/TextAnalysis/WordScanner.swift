/// Finds the tokens of a text in one pass.
struct WordScanner {
    private let stemmer: Stemmer
    private var position = 0
    private var span = FoldedSpan()
    private var words: [Word] = []
    private var parts: [Range<Int>] = []
    private var characters: [Int] = []

    /// A word of a span: its bytes in the matched form, and the character that joins it to the next word.
    private struct Word {
        let range: Range<Int>
        let isASCII: Bool
        var joint: UInt8?
    }

    init(stemmer: Stemmer) { self.stemmer = stemmer }

    mutating func scan(_ text: Span<UInt8>, _ body: (Token) -> Void) {
        let end = text.count
        var at = 0
        while at < end {
            let byte = text[at]
            if byte < 0x80 {
                guard Characters.isWord(byte) else {
                    at += 1
                    continue
                }
                // Most words are ASCII, lower-case after the first letter, and stand alone.
                let next = plainWord(text, at, body)
                if next > at {
                    at = next
                    continue
                }
            }
            at = span.read(text, from: at)
            emitSpan(body)
        }
    }

    /// Passes the plain word at a position to `body` and returns the position after it; returns the position itself
    /// where no plain word begins.
    @inline(__always)
    private mutating func plainWord(
        _ text: Span<UInt8>, _ start: Int, _ body: (Token) -> Void
    ) -> Int {
        var hash = TermHash()
        hash.add(UInt64(Self.lower(text[start])))
        var at = start + 1
        while at < text.count {
            let byte = text[at]
            guard byte &- 0x61 < 26 || byte &- 0x30 < 10 else {
                if byte >= 0x80 || byte &- 0x41 < 26 { return start }
                if Characters.isJoint(byte), at + 1 < text.count,
                    text[at + 1] >= 0x80 || Characters.isWord(text[at + 1])
                {
                    return start
                }
                break
            }
            hash.add(UInt64(byte))
            at += 1
        }
        let entry = stemmer.entry(of: hash.value) {
            (start..<at).map { Self.lower(text[$0]) }
        }
        body(
            Token(
                kind: .word, stem: entry.stem, word: entry.word, position: position,
                isStopWord: entry.isStopWord, range: start..<at))
        position += 1
        return at
    }

    @inline(__always)
    private static func lower(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }

    /// Passes the tokens of the span to `body`.
    private mutating func emitSpan(_ body: (Token) -> Void) {
        findWords()
        var first = 0
        while first < words.count {
            // Extends to the last word of the identifier.
            var last = first
            while last + 1 < words.count, words[last].joint != nil { last += 1 }
            emitJoined(first...last, body)
            first = last + 1
        }
    }

    /// Finds the words of the span, and which of them a single joint connects.
    private mutating func findWords() {
        words.removeAll(keepingCapacity: true)
        var start: Int?
        var isASCII = true
        var at = 0
        while at < span.bytes.count {
            let (scalar, length) = Characters.scalar(span.bytes.span, at: at)
            switch Characters.role(of: scalar) {
            case .letter:
                if start == nil { (start, isASCII) = (at, true) }
                if scalar >= 0x80 { isASCII = false }
            case .mark:
                // A mark without a letter before it is not a word, and joins nothing.
                if start == nil { separate() }
                isASCII = false
            case .joint:
                if let begin = start {
                    words.append(
                        Word(range: begin..<at, isASCII: isASCII, joint: span.bytes[at]))
                } else {
                    separate()
                }
                start = nil
            case .other:
                if let begin = start { words.append(Word(range: begin..<at, isASCII: isASCII)) }
                separate()
                start = nil
            }
            at += length
        }
        if let start { words.append(Word(range: start..<at, isASCII: isASCII)) }
    }

    /// Ends the identifier at the last word found.
    private mutating func separate() {
        if !words.isEmpty { words[words.count - 1].joint = nil }
    }

    /// Passes joined words to `body`: the whole identifier, the parts between dots, and each word.
    private mutating func emitJoined(_ range: ClosedRange<Int>, _ body: (Token) -> Void) {
        if range.count > 1 { emitWhole(range, body) }
        let dot = UInt8(ascii: ".")
        var index = range.lowerBound
        while index <= range.upperBound {
            var last = index
            while last < range.upperBound, words[last].joint != dot { last += 1 }
            if last > index, index...last != range { emitWhole(index...last, body) }
            for word in index...last { emitWord(words[word], body) }
            index = last + 1
        }
    }

    private func emitWhole(_ range: ClosedRange<Int>, _ body: (Token) -> Void) {
        let bytes =
            words[range.lowerBound].range.lowerBound..<words[range.upperBound].range.upperBound
        let hash = TermHash.of(span.bytes[bytes])
        body(
            Token(
                kind: .identifier, stem: hash, word: hash, position: position, isStopWord: false,
                range: span.source(of: bytes)))
    }

    /// Passes a word to `body`, with its mixed-case parts, or as pairs of characters where its script has no spaces.
    private mutating func emitWord(_ word: Word, _ body: (Token) -> Void) {
        guard word.isASCII else {
            emitScripts(word.range, body)
            return
        }
        emitSpaced(word.range, body)
    }

    /// Passes a word of a spaced script and its parts to `body`.
    private mutating func emitSpaced(_ range: Range<Int>, _ body: (Token) -> Void) {
        emit(.word, range, body)
        span.parts(of: range, &parts)
        for part in parts where part.count > 1 { emit(.part, part, body) }
        position += 1
    }

    private func emit(_ kind: Token.Kind, _ range: Range<Int>, _ body: (Token) -> Void) {
        let hash = TermHash.of(span.bytes[range])
        let entry =
            kind == .pair
            ? Stemmer.Entry(word: hash, stem: hash, isStopWord: false)
            : stemmer.entry(of: hash) { Array(span.bytes[range]) }
        body(
            Token(
                kind: kind, stem: entry.stem, word: hash, position: position,
                isStopWord: entry.isStopWord, range: span.source(of: range)))
    }

    /// Passes the words and pairs of a word with non-ASCII letters to `body`.
    private mutating func emitScripts(_ range: Range<Int>, _ body: (Token) -> Void) {
        characters.removeAll(keepingCapacity: true)
        var start = range.lowerBound
        var current: Script?
        var at = start
        while at < range.upperBound {
            let (scalar, length) = Characters.scalar(span.bytes.span, at: at)
            if Characters.role(of: scalar) != .mark {
                let script = Script(of: scalar)
                if let last = current, !last.goesOn(with: script) {
                    emitScript(last, start..<at, body)
                    characters.removeAll(keepingCapacity: true)
                    start = at
                }
                current = script
                characters.append(at)
            }
            at += length
        }
        if let current { emitScript(current, start..<at, body) }
    }

    /// Passes a span of one script to `body`; ``characters`` holds the offsets of its characters.
    private mutating func emitScript(
        _ script: Script, _ range: Range<Int>, _ body: (Token) -> Void
    ) {
        let isHangul = script == .hangul
        guard script.hasNoSpaces || isHangul else {
            emitSpaced(range, body)
            return
        }
        if isHangul { emit(.word, range, body) }
        if characters.count == 1, !isHangul { emit(.pair, range, body) }
        for index in 0..<characters.count - 1 {
            let end = index + 2 < characters.count ? characters[index + 2] : range.upperBound
            emit(isHangul ? .part : .pair, characters[index]..<end, body)
            if !isHangul, index + 2 < characters.count { position += 1 }
        }
        position += 1
    }
}

/// A span of characters in the matched form, with their positions in the original text.
struct FoldedSpan {
    /// A character of the text and its place in the folded bytes.
    private struct Unit {
        let folded: Int
        let source: Int
        let isUpper: Bool
        let isLower: Bool
    }

    /// The UTF-8 of the matched form.
    private(set) var bytes: [UInt8] = []
    /// The end of the span in the text.
    private(set) var sourceEnd = 0
    private var units: [Unit] = []
    private var normalizer = Normalizer(.matched)

    /// Reads characters from a position up to the first one that cannot belong to a word or identifier, and returns the
    /// position where the scan goes on.
    mutating func read(_ text: Span<UInt8>, from start: Int) -> Int {
        bytes.removeAll(keepingCapacity: true)
        units.removeAll(keepingCapacity: true)
        var at = start
        while at < text.count {
            let (scalar, length) = Characters.scalar(text, at: at)
            var end = at + length
            let endsStretch =
                end == text.count
                || Characters.beginsStretch(Characters.scalar(text, at: end).value)
            let first = bytes.count
            if endsStretch, scalar < 0x80 {
                let byte = text[at]
                guard Characters.isWord(byte) || isJoint(byte) else { break }
                bytes.append(byte &- 0x41 < 26 ? byte | 0x20 : byte)
            } else if endsStretch, case let form = Characters.simpleForm(of: scalar), form != 0 {
                Characters.append(form, to: &bytes)
            } else {
                normalizer.append(scalar)
                while end < text.count {
                    let (next, length) = Characters.scalar(text, at: end)
                    if Characters.beginsStretch(next) { break }
                    normalizer.append(next)
                    end += length
                }
                appendStretch()
                if bytes.count > first, isOther(from: first) {
                    // This character ends the span and is not part of it.
                    bytes.removeLast(bytes.count - first)
                    sourceEnd = at
                    return end
                }
            }
            if bytes.count > first {
                units.append(
                    Unit(
                        folded: first, source: at, isUpper: Characters.isUpper(scalar),
                        isLower: Characters.isLower(scalar)))
            }
            at = end
        }
        sourceEnd = at
        return at
    }

    private func isJoint(_ byte: UInt8) -> Bool {
        // A single joint joins words; a second one ends the span.
        Characters.isJoint(byte) && bytes.last.map { !Characters.isJoint($0) } ?? false
    }

    private mutating func appendStretch() {
        normalizer.finish { scalar in
            // U+2010, and the non-breaking hyphen that folds to it.
            Characters.append(scalar == 0x2010 ? 0x2D : scalar, to: &bytes)
        }
    }

    /// Whether no byte from a position on belongs to a word or identifier.
    private func isOther(from start: Int) -> Bool {
        var at = start
        while at < bytes.count {
            let (scalar, length) = Characters.scalar(bytes.span, at: at)
            if Characters.role(of: scalar) != .other { return false }
            at += length
        }
        return true
    }

    /// The place in the original text of a non-empty range of folded bytes.
    func source(of range: Range<Int>) -> Range<Int> {
        let last = unit(at: range.upperBound - 1)
        let end = last + 1 < units.count ? units[last + 1].source : sourceEnd
        return units[unit(at: range.lowerBound)].source..<end
    }

    /// The last unit that begins at or before a folded byte.
    private func unit(at place: Int) -> Int {
        var low = 0
        var high = units.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if units[middle].folded <= place { low = middle } else { high = middle }
        }
        return low
    }

    /// Finds the parts of a mixed-case word; none where the case does not change.
    ///
    /// A part begins with a capital that follows another kind of character, and with the last of several capitals when
    /// a lower-case letter follows, unless that letter is the `s` of a plural.
    func parts(of word: Range<Int>, _ parts: inout [Range<Int>]) {
        parts.removeAll(keepingCapacity: true)
        let first = unit(at: word.lowerBound)
        let end = unit(at: word.upperBound - 1) + 1
        guard end - first > 2 else { return }
        var start = word.lowerBound
        for index in first + 1..<end where units[index].isUpper {
            let isAfterCapital = units[index - 1].isUpper
            let isBeforeSmall =
                index + 1 < end && units[index + 1].isLower
                && !(index + 2 == end && bytes[units[index + 1].folded] == UInt8(ascii: "s"))
            if !isAfterCapital || isBeforeSmall {
                parts.append(start..<units[index].folded)
                start = units[index].folded
            }
        }
        if !parts.isEmpty { parts.append(start..<word.upperBound) }
    }
}
