/// Goes through a text once and gives its tokens.
struct WordScanner {
    private let stemmer: Stemmer
    private var position = 0
    private var run = FoldedRun()
    private var words: [Word] = []
    private var parts: [Range<Int>] = []
    private var characters: [Int] = []

    /// A word of a run: its bytes in the form that is matched, and what joins it with the next.
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
                // Most words are of ASCII, in small letters but for the first, and stand alone.
                let next = plainWord(text, at, body)
                if next > at {
                    at = next
                    continue
                }
            }
            at = run.read(text, from: at)
            emitRun(body)
        }
    }

    /// Gives the word at a place, if it is a plain one, and the place after it; the place itself
    /// where it is not.
    @inline(__always)
    private mutating func plainWord(
        _ text: Span<UInt8>, _ start: Int, _ body: (Token) -> Void
    ) -> Int {
        var hash = FeatureHash()
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

    /// Gives the tokens of the run.
    private mutating func emitRun(_ body: (Token) -> Void) {
        findWords()
        var first = 0
        while first < words.count {
            // Words up to one that nothing joins with the next.
            var last = first
            while last + 1 < words.count, words[last].joint != nil { last += 1 }
            emitJoined(first...last, body)
            first = last + 1
        }
    }

    /// Finds the words of the run, and those that one joint stands between.
    private mutating func findWords() {
        words.removeAll(keepingCapacity: true)
        var start: Int?
        var isASCII = true
        var at = 0
        while at < run.bytes.count {
            let (scalar, length) = Characters.scalar(run.bytes.span, at: at)
            switch Characters.role(of: scalar) {
            case .letter:
                if start == nil { (start, isASCII) = (at, true) }
                if scalar >= 0x80 { isASCII = false }
            case .mark:
                // One that nothing carries is no word, and joins none.
                if start == nil { separate() }
                isASCII = false
            case .joint:
                if let begin = start {
                    words.append(
                        Word(range: begin..<at, isASCII: isASCII, joint: run.bytes[at]))
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

    /// Makes the last word the last of its identifier.
    private mutating func separate() {
        if !words.isEmpty { words[words.count - 1].joint = nil }
    }

    /// Gives words that are joined, the whole of them, and what dots keep apart in it.
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
        let hash = FeatureHash.of(run.bytes[bytes])
        body(
            Token(
                kind: .identifier, stem: hash, word: hash, position: position, isStopWord: false,
                range: run.source(of: bytes)))
    }

    /// Gives a word, its parts where it is spelled in mixed case, and pairs of characters where its
    /// script has no spaces.
    private mutating func emitWord(_ word: Word, _ body: (Token) -> Void) {
        guard word.isASCII else {
            emitScripts(word.range, body)
            return
        }
        emitSpaced(word.range, body)
    }

    /// Gives a word of a script with spaces, and its parts.
    private mutating func emitSpaced(_ range: Range<Int>, _ body: (Token) -> Void) {
        emit(.word, range, body)
        run.parts(of: range, &parts)
        for part in parts where part.count > 1 { emit(.part, part, body) }
        position += 1
    }

    private func emit(_ kind: Token.Kind, _ range: Range<Int>, _ body: (Token) -> Void) {
        let hash = FeatureHash.of(run.bytes[range])
        let entry =
            kind == .pair
            ? Stemmer.Entry(word: hash, stem: hash, isStopWord: false)
            : stemmer.entry(of: hash) { Array(run.bytes[range]) }
        body(
            Token(
                kind: kind, stem: entry.stem, word: hash, position: position,
                isStopWord: entry.isStopWord, range: run.source(of: range)))
    }

    /// Gives the words and pairs of a word with other letters than ASCII has.
    private mutating func emitScripts(_ range: Range<Int>, _ body: (Token) -> Void) {
        characters.removeAll(keepingCapacity: true)
        var start = range.lowerBound
        var current: Script?
        var at = start
        while at < range.upperBound {
            let (scalar, length) = Characters.scalar(run.bytes.span, at: at)
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

    /// Gives a run of one script, whose characters begin at the places in ``characters``.
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
