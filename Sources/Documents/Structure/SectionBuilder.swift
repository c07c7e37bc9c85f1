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
    /// What of the document is not in the sections as it stood there.
    var findings = Finding.List()
    /// The page that is being read, where there are pages.
    var page: Int?

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
        close(before: level)
        begun += 1
        if heading.unicodeScalars.count > Self.headingLimit {
            findings.add(
                .cut, "heading", 1, "headings", detail: "at \(Self.headingLimit) characters")
        }
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
        add(CleanDocument.Block(kind, text))
    }

    /// Adds a block; nothing when it has no text.
    mutating func add(_ block: CleanDocument.Block) {
        guard !block.text.isEmpty else { return }
        var block = block
        block.page = block.page ?? page
        // A line that ends so announces a list, code or a table.
        if block.kind != .code, block.text.utf8.last == UInt8(ascii: ":") {
            block.keepsWithNext = true
        }
        blocks.append(block)
    }

    /// Ends the document.
    mutating func finish(declaredTitle: String? = nil) -> DocumentText {
        close(before: 0)
        if isFull {
            findings.add(
                .cut, "sections", Self.sectionLimit, "sections", detail: "the rest is one")
        }
        return DocumentText(
            declaredTitle: declaredTitle.map(Self.shortened), headingTitle: headingTitle,
            sections: sections, findings: findings)
    }

    private static func shortened(_ heading: String) -> String {
        String(Substring(heading.unicodeScalars.prefix(headingLimit)))
    }

    /// Ends the section at hand before a heading of a level.
    private mutating func close(before next: Int) {
        // A heading with nothing below it says something itself; one with headings below it says it there.
        if blocks.isEmpty, level > 0, next <= level, let own = path.last?.heading, !own.isEmpty {
            add(.paragraph, own)
        }
        if !blocks.isEmpty {
            sections.append(
                CleanDocument.Section(
                    anchor: anchor, headings: path.map(\.heading).filter { !$0.isEmpty },
                    level: level, blocks: blocks))
        }
        blocks = []
    }
}
