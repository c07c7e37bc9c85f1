package import Documents
internal import TextAnalysis

/// Cuts sections into chunks: between blocks, else between items of a list or rows of a table, else at a sentence, else
/// at a line of code, else at a word, else anywhere.
///
/// Chunks are ranges of the section's text that cover all of it but white space; none is longer than ``size``. They are cut
/// from the end of the section to its beginning, and among places of the same rank the text that follows decides, by its
/// hash: so a paragraph that is inserted at the beginning leaves all chunks but the first as they were, and one that is
/// inserted elsewhere leaves most of them. A paragraph that is cut repeats up to ``overlap`` characters in whole sentences,
/// and a table that is cut repeats the rows that name its columns.
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
    package var identity: String { "recursive-2 \(size)/\(overlap)" }

    /// The chunks of a document in order.
    package func chunks(of document: CleanDocument) -> [Chunk] {
        SectionJoining(size: size).joined(document.sections.map { ($0, chunks(of: $0)) })
    }

    /// The chunks of one section in order.
    package func chunks(of section: CleanDocument.Section) -> [Chunk] {
        let text = SectionText(section.blocks)
        let breaks = Breaks(text)
        return starts(text, breaks).enumerated().map { ordinal, piece in
            chunk(piece, ordinal, of: section, text, breaks)
        }
    }

    private func chunk(
        _ piece: Range<Int>, _ ordinal: Int, of section: CleanDocument.Section, _ text: SectionText,
        _ breaks: Breaks
    ) -> Chunk {
        let header = header(above: piece.lowerBound, text)
        let range =
            ordinal > 0 && header == nil
            ? overlapStart(of: piece, text, breaks)..<piece.upperBound : piece
        let repeated = header.map { text.string($0) + "\n" } ?? ""
        let blocks = text.blocks[
            text.block(at: range.lowerBound)...text.block(at: range.upperBound - 1)]
        return Chunk(
            anchor: section.anchor, headings: section.headings, ordinal: ordinal,
            text: repeated + text.string(range), range: range, repeated: repeated,
            blocks: blocks)
    }

    /// The pieces that the text is cut into, in order.
    private func starts(_ text: SectionText, _ breaks: Breaks) -> [Range<Int>] {
        var result: [Range<Int>] = []
        var end = text.trimmingSpace(before: text.count, after: 0)
        // Only code begins with white space, and keeps it.
        while end > 0 {
            let start = self.start(of: end, text, breaks)
            result.append(start..<end)
            end = text.trimmingSpace(before: start, after: 0)
        }
        return result.reversed()
    }

    /// The smallest part of ``size`` that a chunk fills where the text allows it.
    private static let fill = (numerator: 9, denominator: 20)

    /// What is left for the first chunk of a section has at least so many characters.
    private var least: Int { min(size / 5, 100) }

    /// Where the chunk begins that ends at `end`.
    private func start(of end: Int, _ text: SectionText, _ breaks: Breaks) -> Int {
        if end <= size { return 0 }
        let latest = end - max(1, size * Self.fill.numerator / Self.fill.denominator)
        var best: (strength: Breaks.Strength, hash: UInt64, start: Int)?
        // The longest chunk that is shorter than it should be, but begins well.
        var short: Int?
        for start in max(end - size, least)...(end - least) {
            let strength = breaks[start]
            if strength == .none { continue }
            guard end - start + headerLength(above: start, text) <= size else { continue }
            if start > latest {
                if best.map({ $0.strength >= .sentence }) ?? false { break }
                if strength >= .sentence, short == nil { short = start }
                continue
            }
            if let best, strength < best.strength { continue }
            // Words are too many to choose among: the first one makes the longest chunk.
            let hash = strength > .word ? Self.hash(text.scalars, from: start) : 0
            if let known = best, known.strength == strength, known.hash <= hash { continue }
            best = (strength, hash, start)
        }
        if let best, best.strength >= .sentence { return best.start }
        return short ?? best?.start ?? hardBreak(before: end, text)
    }

    /// How long what is repeated above a chunk is.
    private func headerLength(above start: Int, _ text: SectionText) -> Int {
        header(above: start, text).map { $0.count + 1 } ?? 0
    }

    /// What is repeated above a chunk that begins at a position: no more than half a chunk.
    private func header(above start: Int, _ text: SectionText) -> Range<Int>? {
        guard let header = text.header(above: start), header.count < size / 2 else { return nil }
        return header
    }

    /// FNV-1a of the beginning of what follows.
    private static func hash(_ text: [Unicode.Scalar], from start: Int) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for at in start..<min(start + 64, text.count) {
            hash = (hash ^ UInt64(text[at].value)) &* 0x0000_0100_0000_01B3
        }
        return hash
    }

    /// The first place before `end` for the longest chunk, or a little behind it where a letter would be parted from its
    /// marks.
    private func hardBreak(before end: Int, _ text: SectionText) -> Int {
        let first = end - size + headerLength(above: end - size, text)
        var at = first
        while at < end - size / 2, Self.continues(text.scalars, at) { at += 1 }
        return Self.continues(text.scalars, at) ? first : at
    }

    /// Whether a scalar belongs to the one before it.
    private static func continues(_ text: [Unicode.Scalar], _ at: Int) -> Bool {
        let scalar = text[at]
        guard scalar.value >= 0x300 else { return false }
        if scalar.value == 0x200D || text[at - 1].value == 0x200D { return true }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark: return true
        default: return scalar.properties.isEmojiModifier
        }
    }

    /// Where a chunk begins with what it repeats of a paragraph that was cut before it: at the first sentence that is
    /// near enough.
    private func overlapStart(
        of piece: Range<Int>, _ text: SectionText, _ breaks: Breaks
    ) -> Int {
        let index = text.block(at: piece.lowerBound)
        let block = text.ranges[index]
        guard overlap > 0, piece.lowerBound > block.lowerBound, text.blocks[index].kind != .code
        else { return piece.lowerBound }
        let end = text.trimmingSpace(before: piece.lowerBound, after: 0)
        let earliest = max(block.lowerBound, end - overlap, piece.upperBound - size)
        return (earliest..<piece.lowerBound).first {
            breaks[$0] >= .sentence || $0 == block.lowerBound
        } ?? piece.lowerBound
    }
}

/// A piece of one section of a document: what is embedded and found.
package struct Chunk: Sendable, Equatable {
    /// The anchor of its section.
    package let anchor: String
    /// The headings above it, from the outermost in.
    package let headings: [String]
    /// Its number in its section, from 0.
    package let ordinal: Int
    /// Its text: what it repeats of a table's head, its part of the section's text, and sections too small for a chunk of
    /// their own.
    package private(set) var text: String
    /// Where it is in the text of its section, in Unicode scalars.
    package let range: Range<Int>
    /// The rows that name the columns of the table that it continues, with the end of the line; empty in other chunks.
    package let repeated: String
    /// Where links in it lead, each once, in order; of a block that was cut all of its links.
    package private(set) var links: [String]
    /// The languages of the code in it, each once, in order.
    package private(set) var languages: [String]
    /// The page that it begins on, in documents that have pages.
    package let page: Int?

    init(
        anchor: String, headings: [String], ordinal: Int, text: String, range: Range<Int>,
        repeated: String, blocks: ArraySlice<CleanDocument.Block>
    ) {
        self.anchor = anchor
        self.headings = headings
        self.ordinal = ordinal
        self.text = text
        self.range = range
        self.repeated = repeated
        page = blocks.first?.page
        links = Self.distinct(
            blocks.lazy.flatMap(\.links).filter { $0.utf8.count <= Self.targetLimit })
        languages = Self.distinct(blocks.lazy.compactMap(\.language))
    }

    /// Puts the text of a chunk behind that of this one, as it is to stand there.
    mutating func append(_ text: String, of other: Chunk) {
        self.text += "\n\n" + text
        links = Self.distinct(links + other.links)
        languages = Self.distinct(languages + other.languages)
    }

    /// Puts the text of a chunk before that of this one, as it is to stand there.
    mutating func prepend(_ text: String, of other: Chunk) {
        self.text = text + "\n\n" + self.text
        links = Self.distinct(other.links + links)
        languages = Self.distinct(other.languages + languages)
    }

    /// A row names at most so many targets of links: a page of nothing but links is found by its text.
    private static let limit = 1000
    /// The longest target that is named; what is longer holds data.
    private static let targetLimit = 2000

    private static func distinct(_ texts: some Sequence<String>) -> [String] {
        var seen: Set<[UInt8]> = []
        var result: [String] = []
        for text in texts where result.count < limit {
            if seen.insert(Array(text.utf8)).inserted { result.append(text) }
        }
        return result
    }
}

extension CleanDocument.Section {
    /// The text that chunks are cut from: blocks with an empty line between them, items of a list and
    /// rows of a table without.
    package var text: String {
        let text = SectionText(blocks)
        return text.string(0..<text.count)
    }
}

/// Joins sections of a few characters with their neighbours: alone, "See Also" answers nothing.
struct SectionJoining {
    /// The most characters of a chunk.
    let size: Int

    /// The characters of heading and text below which a section is joined.
    private static let limit = 30

    /// The chunks of all sections in order. A small section becomes text, its heading above it, of the last chunk before it,
    /// or else of the first one behind it, where there is room.
    func joined(_ sections: [(section: CleanDocument.Section, chunks: [Chunk])]) -> [Chunk] {
        var result: [Chunk] = []
        /// The small section that nothing is before, with those that followed it.
        var first: (heading: String, chunk: Chunk)?
        var previous: [String] = []
        for (section, chunks) in sections {
            defer { previous = section.headings }
            let isNear = previous.isEmpty || isBeside(section, previous)
            if chunks.count == 1, isNear, isSmall(section) {
                let chunk = chunks[0]
                let text = text(of: section)
                if let last = result.indices.last, fits(text, with: result[last]) {
                    result[last].append(text, of: chunk)
                } else if let known = first, fits(text, with: known.chunk) {
                    first?.chunk.append(text, of: chunk)
                } else if result.isEmpty, first == nil {
                    first = (
                        isHeading(section.text, section) ? "" : section.headings.last ?? "", chunk
                    )
                } else {
                    if let known = first { result.append(known.chunk) }
                    first = nil
                    result.append(chunk)
                }
                continue
            }
            var chunks = chunks
            if let small = first {
                let text =
                    small.heading.isEmpty
                    ? small.chunk.text : small.heading + "\n\n" + small.chunk.text
                if isNear, !chunks.isEmpty, fits(text, with: chunks[0]) {
                    chunks[0].prepend(text, of: small.chunk)
                } else {
                    result.append(small.chunk)
                }
                first = nil
            }
            result += chunks
        }
        return result + (first.map { [$0.chunk] } ?? [])
    }

    private func fits(_ text: String, with chunk: Chunk) -> Bool {
        chunk.text.unicodeScalars.count + 2 + text.unicodeScalars.count <= size
    }

    /// Whether no heading stands between a section and the one before it, so that all above it are above that too.
    private func isBeside(_ section: CleanDocument.Section, _ previous: [String]) -> Bool {
        let above = section.headings.dropLast()
        return above.count <= previous.count
            && zip(above, previous).allSatisfy { $0.utf8.elementsEqual($1.utf8) }
    }

    /// Its own heading, and its text unless that is the heading.
    private func text(of section: CleanDocument.Section) -> String {
        let text = section.text
        guard section.level > 0, let heading = section.headings.last, !isHeading(text, section)
        else { return text }
        return heading + "\n\n" + text
    }

    private func isHeading(_ text: String, _ section: CleanDocument.Section) -> Bool {
        section.headings.last.map { $0.utf8.elementsEqual(text.utf8) } ?? false
    }

    /// Whether a section is short, and no answer: "Is it free?" and "Yes, it is." stay by themselves.
    private func isSmall(_ section: CleanDocument.Section) -> Bool {
        let heading = section.level > 0 ? section.headings.last ?? "" : ""
        guard heading.utf8.count < 4 * Self.limit,
            section.blocks.reduce(0, { $0 + $1.text.utf8.count }) < 4 * Self.limit
        else { return false }
        let scalars = Array(section.text.unicodeScalars)
        if isHeading(section.text, section) { return Self.weight(scalars) < Self.limit }
        let title = Array(heading.unicodeScalars)
        return Self.weight(title) + Self.weight(scalars) < Self.limit
            && !Sentences.ends(scalars, before: scalars.count, from: 0)
            && !Sentences.ends(title, before: title.count, from: 0)
    }

    /// How much scalars say, in letters: an ideograph says about as much as three.
    private static func weight(_ scalars: [Unicode.Scalar]) -> Int {
        scalars.reduce(0) { $0 + ($1.value < 0x2E80 ? 1 : 3) }
    }
}
