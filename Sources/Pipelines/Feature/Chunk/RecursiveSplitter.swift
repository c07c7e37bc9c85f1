/// Cuts sections into chunks: at the end of a block where one is near, else of a sentence or a line, else
/// of a word, else anywhere.
///
/// Chunks are ranges of the section's text. They cover all of it but white space, none is longer than
/// ``size``, and each but the first of a section begins at most ``overlap`` before the end of the one
/// before it, at the start of a sentence or of a word.
package struct RecursiveSplitter: Sendable, Hashable {
    /// The most characters (Unicode scalars) of a chunk.
    package let size: Int
    /// The most characters that a chunk repeats of the one before it.
    package let overlap: Int

    /// What an overlap may be, so that every chunk brings something new.
    package static func isValid(size: Int, overlap: Int) -> Bool {
        sizes.contains(size) && overlap >= 0 && overlap <= size / 2
    }

    /// The sizes that are allowed.
    package static let sizes = 20...100_000

    /// Makes a splitter.
    ///
    /// - Parameters:
    ///   - size: The most characters of a chunk, one of ``sizes``.
    ///   - overlap: The most repeated characters, at most half of `size`.
    package init(size: Int = 1000, overlap: Int = 100) {
        precondition(Self.isValid(size: size, overlap: overlap), "checked where it is configured")
        self.size = size
        self.overlap = overlap
    }

    /// What the chunks of a document depend on besides its text.
    package var identity: String { "recursive-1 \(size)/\(overlap)" }

    /// The chunks of a document in order.
    package func chunks(of document: CleanDocument) -> [Chunk] {
        document.sections.flatMap { chunks(of: $0) }
    }

    /// The chunks of one section in order.
    package func chunks(of section: CleanDocument.Section) -> [Chunk] {
        let text = Array(section.text.unicodeScalars)
        let breaks = Breaks(text, blocks: section.blocks)
        return ranges(breaks).enumerated().map { ordinal, range in
            var scalars = String.UnicodeScalarView()
            scalars.append(contentsOf: text[range])
            return Chunk(
                anchor: section.anchor, headings: section.headings, ordinal: ordinal,
                text: String(scalars), range: range)
        }
    }

    private func ranges(_ breaks: Breaks) -> [Range<Int>] {
        var result: [Range<Int>] = []
        var start = breaks.skippingSpace(from: 0)
        var done = 0
        while start < breaks.count {
            let end = self.end(from: start, after: max(done, start), breaks)
            result.append(start..<breaks.trimmingSpace(before: end, after: start))
            let next = breaks.skippingSpace(from: end)
            done = next
            if next >= breaks.count { break }
            start = overlapStart(
                before: result[result.count - 1].upperBound, from: start, next, breaks)
        }
        return result
    }

    /// Where a chunk from `start` ends: always after `done`, so that it has something new.
    private func end(from start: Int, after done: Int, _ breaks: Breaks) -> Int {
        let limit = start + size
        if limit >= breaks.count { return breaks.count }
        // A block that ends early is not worth a chunk of its own.
        let earliest = max(done, start + size / 4)
        for strength in [Breaks.Strength.block, .sentence, .word] {
            let floor = strength == .word ? done : earliest
            if let end = breaks.last(atLeast: strength, in: floor + 1...limit) { return end }
        }
        return breaks.hardBreak(before: limit, after: max(done, limit - size / 4))
    }

    /// Where the chunk after one that ends at `end` starts: within its last ``overlap`` characters, at
    /// the first sentence there, or else at the first word.
    private func overlapStart(before end: Int, from start: Int, _ next: Int, _ breaks: Breaks)
        -> Int
    {
        // The chunk must reach beyond `next`, also when white space without end lies before that.
        let earliest = max(start + 1, end - overlap, next - size + 1)
        guard overlap > 0, earliest < end else { return next }
        for strength in [Breaks.Strength.sentence, .word] {
            if let found = breaks.first(atLeast: strength, in: earliest...end - 1) {
                let begin = breaks.skippingSpace(from: found)
                if begin < end { return begin }
            }
        }
        return next
    }
}
