/// A token that a tokenizer finds in the text before it splits words.
struct AddedToken: Sendable {
    /// The token as it is written in the file.
    var content: [UInt8]
    /// Whether it counts only where no word character stands next to it.
    var isSingleWord = false
    /// Whether it takes the white space before it.
    var stripsLeft = false
    /// Whether it takes the white space after it.
    var stripsRight = false
    /// Whether it is looked for in the normalized text, in its own normalized form.
    var isNormalized = false

    init(_ content: String) { self.content = Array(content.utf8) }
}

/// Finds added tokens in a text: at each place the longest one.
struct AddedTokens: Sendable {
    /// A stretch of the text, and the id of the token that it is; nil for text between tokens.
    typealias Part = (range: Range<Int>, id: Int32?)

    private var table = TokenTable()
    private var tokens: [(token: AddedToken, id: Int32)] = []
    private var isFirst = [Bool](repeating: false, count: 256)

    /// Whether there are no tokens.
    var isEmpty: Bool { tokens.isEmpty }

    /// Adds a token; it is found where its form is.
    mutating func add(_ token: AddedToken, form: [UInt8], id: Int32) {
        guard let first = form.first else { return }
        isFirst[Int(first)] = true
        table.set(form.span, to: Int32(tokens.count))
        tokens.append((token, id))
    }

    /// Splits a text; empty stretches are left out.
    func parts(of text: Span<UInt8>, _ scratch: inout TokenTable.Scratch) -> [Part] {
        var parts: [Part] = []
        var taken = 0
        var place = 0
        let whole = table.prefix()
        while !isEmpty, place < text.count {
            guard isFirst[Int(text[place])],
                let match = table.longest(after: whole, in: text, from: place, &scratch)
            else {
                place += 1
                continue
            }
            let (token, id) = tokens[Int(match.value)]
            var (start, end) = (place, place + match.length)
            place = end
            if token.isSingleWord, isWord(before: start, text) || isWord(at: end, text) { continue }
            if token.stripsLeft { start = max(taken, self.start(ofSpaceBefore: start, text)) }
            if token.stripsRight { end = self.end(ofSpaceAt: end, text) }
            if taken < start { parts.append((taken..<start, nil)) }
            parts.append((min(start, end)..<end, id))
            taken = end
        }
        if taken < text.count { parts.append((taken..<text.count, nil)) }
        return parts
    }

    private func isWord(before place: Int, _ text: Span<UInt8>) -> Bool {
        guard let (scalar, _) = Self.scalar(before: place, text) else { return false }
        return Unicode.Scalar(scalar).map(BertCharacters.isWord) ?? false
    }

    private func isWord(at place: Int, _ text: Span<UInt8>) -> Bool {
        guard place < text.count else { return false }
        return Unicode.Scalar(UTF8Text.scalar(text, at: place).value)
            .map(BertCharacters.isWord) ?? false
    }

    private func start(ofSpaceBefore place: Int, _ text: Span<UInt8>) -> Int {
        var place = place
        while let (scalar, start) = Self.scalar(before: place, text),
            BertCharacters.sets(of: scalar).contains(.space)
        { place = start }
        return place
    }

    private func end(ofSpaceAt place: Int, _ text: Span<UInt8>) -> Int {
        var place = place
        while place < text.count {
            let (scalar, length) = UTF8Text.scalar(text, at: place)
            guard BertCharacters.sets(of: scalar).contains(.space) else { break }
            place += length
        }
        return place
    }

    private static func scalar(
        before place: Int, _ text: Span<UInt8>
    ) -> (value: UInt32, start: Int)? {
        guard place > 0 else { return nil }
        var start = place - 1
        while start > 0, text[start] & 0xC0 == 0x80 { start -= 1 }
        return (UTF8Text.scalar(text, at: start).value, start)
    }
}
