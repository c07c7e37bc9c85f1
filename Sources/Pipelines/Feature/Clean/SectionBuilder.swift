/// Gathers headings and blocks, in the order of the document, into sections.
struct SectionBuilder {
    private var anchors = AnchorSet()
    private var sections: [CleanDocument.Section] = []
    private var path: [(level: Int, heading: String)] = []
    private var anchor = ""
    private var level = 0
    private var blocks: [CleanDocument.Block] = []
    private var titleLevel = Int.max
    private var begun = 0
    private var isFull = false

    /// More than any document that people write has; each becomes a row at least.
    private static let sectionLimit = 20_000
    /// The most characters of a heading or a title: it stands in every row below it.
    private static let headingLimit = 500

    /// The first heading of level 1, or else the first of any.
    private(set) var headingTitle: String?

    /// Begins a section.
    ///
    /// - Parameters:
    ///   - heading: Its heading, collapsed.
    ///   - level: 1 for the outermost.
    ///   - anchor: What links call it; nil for the slug of the heading.
    mutating func begin(_ heading: String, level: Int, anchor: String?) {
        guard begun < Self.sectionLimit else {
            isFull = true
            return add(.paragraph, heading)
        }
        close()
        begun += 1
        let heading = Self.shortened(heading)
        while let last = path.last, last.level >= level { path.removeLast() }
        path.append((level, heading))
        self.anchor = anchors.take(anchor ?? AnchorSet.slug(heading))
        self.level = level
        if !heading.isEmpty, titleLevel == .max || level == 1 && titleLevel > 1 {
            headingTitle = heading
            titleLevel = level
        }
    }

    /// Adds a block; nothing when it has no text.
    mutating func add(_ kind: CleanDocument.Block.Kind, _ text: String) {
        if !text.isEmpty { blocks.append(CleanDocument.Block(kind, text)) }
    }

    /// Ends the document.
    ///
    /// A declared title stands above all headings, unless it is the first of them.
    mutating func finish(declaredTitle: String? = nil, note: String? = nil) -> DocumentText {
        close()
        let declaredTitle = declaredTitle.map(Self.shortened)
        var result = sections
        if let declaredTitle, !(headingTitle?.utf8.elementsEqual(declaredTitle.utf8) ?? false) {
            result = sections.map { section in
                CleanDocument.Section(
                    anchor: section.anchor, headings: [declaredTitle] + section.headings,
                    level: section.level, blocks: section.blocks)
            }
        }
        return DocumentText(
            declaredTitle: declaredTitle, headingTitle: headingTitle, sections: result,
            note: isFull ? "has more than \(Self.sectionLimit) sections: the rest is one" : note)
    }

    private static func shortened(_ heading: String) -> String {
        String(Substring(heading.unicodeScalars.prefix(headingLimit)))
    }

    private mutating func close() {
        if !blocks.isEmpty {
            sections.append(
                CleanDocument.Section(
                    anchor: anchor, headings: path.map(\.heading).filter { !$0.isEmpty },
                    level: level, blocks: blocks))
        }
        blocks = []
    }
}
