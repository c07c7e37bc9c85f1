package import Documents
internal import TextAnalysis

/// Cuts sections into chunks at the best available break: between blocks, else between list items or table rows, else
/// at a sentence, a line of code or a word, else anywhere.
///
/// Chunks are ranges of the section's text; together they cover all of it except white space, and none is longer than
/// ``size``. Cutting proceeds from the end of the section to its beginning, and the hash of the following text decides
/// between breaks of equal rank. A paragraph inserted at the beginning therefore changes little more than the first
/// chunk, and one inserted elsewhere leaves most chunks unchanged. When a cut splits a paragraph, the next chunk
/// repeats up to ``overlap`` characters of it, in whole sentences; when a cut splits a table, the next chunk repeats
/// its header rows, unless they would take half of the chunk.
package struct RecursiveSplitter: Sendable {
    /// The maximum length of a chunk.
    package let size: Int
    /// The maximum length of what a chunk repeats from the previous one.
    package let overlap: Int
    /// What lengths count.
    package let measure: TextMeasure

    /// Whether an overlap leaves room for new text in every chunk.
    package static func isValid(size: Int, overlap: Int) -> Bool {
        sizes.contains(size) && overlap >= 0 && overlap <= size / 2
    }

    /// The allowed sizes.
    package static let sizes = 20...100_000

    /// Makes a splitter.
    ///
    /// - Parameters:
    ///   - size: The maximum length of a chunk, within ``sizes``.
    ///   - overlap: The maximum length of what is repeated, at most half of `size`.
    ///   - measure: What lengths count.
    package init(size: Int = 1000, overlap: Int = 100, measure: TextMeasure = .characters) {
        precondition(Self.isValid(size: size, overlap: overlap), "the configuration checks sizes")
        self.size = size
        self.overlap = overlap
        self.measure = measure
    }

    /// Identifies the rules that determine a document's chunks besides its text.
    package var identity: String {
        let unit = if case .tokens = measure { " tokens" } else { "" }
        return "recursive-2 \(size)/\(overlap)\(unit)"
    }

    /// The chunks of a document in order.
    package func chunks(of document: CleanDocument) -> [Chunk] {
        SectionJoining(size: size, measure: measure).joined(
            document.sections.map { ($0, chunks(of: $0)) })
    }

    /// The chunks of one section in order.
    package func chunks(of section: CleanDocument.Section) -> [Chunk] {
        let text = SectionText(section.blocks, measuredIn: measure)
        let breaks = Breaks(text)
        return starts(text, breaks).enumerated().map { ordinal, part in
            chunk(part, ordinal, of: section, text, breaks)
        }
    }

    private func chunk(
        _ part: Range<Int>, _ ordinal: Int, of section: CleanDocument.Section, _ text: SectionText,
        _ breaks: Breaks
    ) -> Chunk {
        let header = header(above: part.lowerBound, text)
        let range =
            ordinal > 0 && header == nil
            ? overlapStart(of: part, text, breaks)..<part.upperBound : part
        let repeated = header.map { text.string($0) + "\n" } ?? ""
        let blocks = text.blocks[
            text.block(at: range.lowerBound)...text.block(at: range.upperBound - 1)]
        return Chunk(
            anchor: section.anchor, headings: section.headings, ordinal: ordinal,
            text: repeated + text.string(range), range: range, repeated: repeated,
            blocks: blocks)
    }

    /// The ranges that the text is cut into, in order.
    private func starts(_ text: SectionText, _ breaks: Breaks) -> [Range<Int>] {
        var result: [Range<Int>] = []
        var end = text.trimmingSpace(before: text.count, after: 0)
        // Trims only the ends: white space at the beginning is the indentation of code.
        while end > 0 {
            let start = self.start(of: end, text, breaks)
            result.append(start..<end)
            end = text.trimmingSpace(before: start, after: 0)
        }
        return result.reversed()
    }

    /// The share of ``size`` that a chunk should fill where the text allows it.
    private static let fill = (numerator: 9, denominator: 20)

    /// The least length of a chunk in a section that is cut.
    private var least: Int { min(size / 5, 100) }

    /// The start of the chunk that ends at `end`.
    private func start(of end: Int, _ text: SectionText, _ breaks: Breaks) -> Int {
        if text.length(0..<end) <= size { return 0 }
        let latest = text.position(
            max(1, size * Self.fill.numerator / Self.fill.denominator), before: end)
        var best: (strength: Breaks.Strength, hash: UInt64, start: Int)?
        // The start of the longest chunk that begins well but is shorter than it should be.
        var short: Int?
        let earliest = max(text.position(size, before: end), text.position(least))
        for start in earliest...max(earliest, text.position(least, before: end)) {
            let strength = breaks[start]
            if strength == .none { continue }
            guard text.length(start..<end) + headerLength(above: start, text) <= size
            else { continue }
            if start > latest {
                if best.map({ $0.strength >= .sentence }) ?? false { break }
                if strength >= .sentence, short == nil { short = start }
                continue
            }
            if let best, strength < best.strength { continue }
            // Word breaks are too numerous to choose among: takes the first one, which gives the longest chunk.
            let hash = strength > .word ? Self.hash(text.scalars, from: start) : 0
            if let known = best, known.strength == strength, known.hash <= hash { continue }
            best = (strength, hash, start)
        }
        if let best, best.strength >= .sentence { return best.start }
        return short ?? best?.start ?? hardBreak(before: end, text)
    }

    /// The length of the repeated header, with its line break.
    private func headerLength(above start: Int, _ text: SectionText) -> Int {
        header(above: start, text).map { text.length($0) + 1 } ?? 0
    }

    /// The table header to repeat in a chunk that begins at a position; nil if there is none, or it would take half a
    /// chunk.
    private func header(above start: Int, _ text: SectionText) -> Range<Int>? {
        guard let header = text.header(above: start), text.length(header) < size / 2
        else { return nil }
        return header
    }

    /// FNV-1a of the 64 scalars from a position on, or of those that remain.
    private static func hash(_ text: [Unicode.Scalar], from start: Int) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for at in start..<min(start + 64, text.count) {
            hash = (hash ^ UInt64(text[at].value)) &* 0x0000_0100_0000_01B3
        }
        return hash
    }

    /// The start of the longest possible chunk, or a little later where a combining mark would lose its base.
    private func hardBreak(before end: Int, _ text: SectionText) -> Int {
        let longest = text.position(size, before: end)
        // A single token can be longer than what is left of it here.
        let first = min(
            text.position(size - headerLength(above: longest, text), before: end), end - 1)
        let last = text.position(size / 2, before: end)
        var at = first
        while at < last, Self.continues(text.scalars, at) { at += 1 }
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

    /// The start of a chunk with its overlap: the first sentence of the split paragraph that is within reach.
    private func overlapStart(
        of part: Range<Int>, _ text: SectionText, _ breaks: Breaks
    ) -> Int {
        let index = text.block(at: part.lowerBound)
        let block = text.ranges[index]
        guard overlap > 0, part.lowerBound > block.lowerBound, text.blocks[index].kind != .code
        else { return part.lowerBound }
        let end = text.trimmingSpace(before: part.lowerBound, after: 0)
        let earliest = max(
            block.lowerBound, text.position(overlap, before: end),
            text.position(size, before: part.upperBound))
        return (earliest..<part.lowerBound).first {
            breaks[$0] >= .sentence || $0 == block.lowerBound
        } ?? part.lowerBound
    }
}

/// A part of one section of a document, which is embedded and retrieved as a unit.
package struct Chunk: Sendable, Equatable {
    /// The anchor of the section.
    package let anchor: String
    /// The headings above it, outermost first.
    package let headings: [String]
    /// Its ordinal in the section, from 0.
    package let ordinal: Int
    /// Its text: a repeated table header if any, its range of the section's text, and neighbouring sections too small
    /// for a chunk of their own.
    package private(set) var text: String
    /// Its range in the section's text, in Unicode scalars.
    package let range: Range<Int>
    /// The header rows of the table that it continues, with a final line break; empty in other chunks.
    package let repeated: String
    /// The targets of its links, in order, without duplicates; a block that was cut contributes all of its links to
    /// every part.
    package private(set) var links: [String]
    /// The languages of its code blocks, in order, without duplicates.
    package private(set) var languages: [String]
    /// The page that it begins on, in documents with pages.
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

    /// Appends the text of another chunk, formatted by the caller.
    mutating func append(_ text: String, of other: Chunk) {
        self.text += "\n\n" + text
        links = Self.distinct(links + other.links)
        languages = Self.distinct(languages + other.languages)
    }

    /// Prepends the text of another chunk, formatted by the caller.
    mutating func prepend(_ text: String, of other: Chunk) {
        self.text = text + "\n\n" + self.text
        links = Self.distinct(other.links + links)
        languages = Self.distinct(other.languages + languages)
    }

    /// The most links, and the most languages, of a row: no limit on retrieval, which uses the text.
    private static let limit = 1000
    /// The maximum number of bytes of a link target; longer ones are embedded data.
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
    /// The text that chunks are cut from: blocks are separated by an empty line; list items and table rows only by a
    /// line break.
    package var text: String {
        let text = SectionText(blocks)
        return text.string(0..<text.count)
    }
}

/// Joins very short sections with their neighbours: on its own, "See Also" answers nothing.
struct SectionJoining {
    /// The maximum length of a chunk.
    let size: Int
    /// What lengths count.
    let measure: TextMeasure

    /// The weight, heading included, below which a section is joined.
    private static let limit = 30

    /// The chunks of all sections in order.
    ///
    /// The heading and text of a small section are appended to the preceding chunk or, if there is none, prepended to
    /// the following one. The section stays a chunk of its own where there is no room or the parent headings differ.
    func joined(_ sections: [(section: CleanDocument.Section, chunks: [Chunk])]) -> [Chunk] {
        var result: [Chunk] = []
        /// A small section that no chunk precedes, together with the small sections that followed it.
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
        measure.length(of: chunk.text) + 2 + measure.length(of: text) <= size
    }

    /// Whether the parent headings of a section also apply to the previous one.
    private func isBeside(_ section: CleanDocument.Section, _ previous: [String]) -> Bool {
        let above = section.headings.dropLast()
        return above.count <= previous.count
            && zip(above, previous).allSatisfy { $0.utf8.elementsEqual($1.utf8) }
    }

    /// The section's own heading and its text; the heading only once where both are equal.
    private func text(of section: CleanDocument.Section) -> String {
        let text = section.text
        guard section.level > 0, let heading = section.headings.last, !isHeading(text, section)
        else { return text }
        return heading + "\n\n" + text
    }

    private func isHeading(_ text: String, _ section: CleanDocument.Section) -> Bool {
        section.headings.last.map { $0.utf8.elementsEqual(text.utf8) } ?? false
    }

    /// Whether a section is short and has no sentence that could be an answer: "Is it free?" with "Yes, it is." stays
    /// separate.
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

    /// The weight of scalars: any scalar from U+2E80 on (CJK, Hangul syllables, most emoji) counts as three.
    private static func weight(_ scalars: [Unicode.Scalar]) -> Int {
        scalars.reduce(0) { $0 + ($1.value < 0x2E80 ? 1 : 3) }
    }
}
