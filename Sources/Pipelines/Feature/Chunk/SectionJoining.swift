internal import Documents
internal import TextAnalysis

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
