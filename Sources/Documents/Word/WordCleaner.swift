internal import Objects

/// Reads a Word document.
struct WordCleaner {
    private var builder = SectionBuilder()
    private var code: [String] = []
    private var declaredTitle: String?
    /// How many levels headings are lowered because a title paragraph takes level 1.
    private var shift = 0
    private var hasText = false

    static func clean(_ raw: RawDocument) throws(UnreadableDocument) -> DocumentText {
        let package = try WordPackage(raw.bytes)
        let styles = try package.neighbour("styles.xml").map(WordStyles.init) ?? WordStyles()
        let numbering =
            try package.neighbour("numbering.xml").map(WordNumbering.init) ?? WordNumbering()
        var notes = WordNotes()
        for (name, kind) in [
            ("footnotes.xml", WordNotes.Kind.footnote), ("endnotes.xml", WordNotes.Kind.endnote),
        ] {
            guard let reader = try package.neighbour(name) else { continue }
            notes.read(reader, kind, styles: styles, links: package.links(ofNeighbour: name))
        }
        guard let reader = try package.part(package.mainPart) else {
            throw UnreadableDocument("is damaged: \(package.mainPart) is empty")
        }
        let body = WordBody(
            reader, styles: styles, numbering: numbering, links: package.links(of: package.mainPart)
        )
        var cleaner = WordCleaner()
        try cleaner.read(body, &notes, part: package.mainPart)
        try cleaner.countOthers(of: package)
        let metadata = try WordMetadata.read(package)
        var text = cleaner.builder.finish(
            declaredTitle: cleaner.declaredTitle ?? DeclaredTitle.usable(metadata["title"]?.string))
        text.metadata = metadata
        return text
    }

    /// Reads a parsed body without its package; for fuzzing.
    static func clean(_ body: WordBody, notes: WordNotes) throws(UnreadableDocument) -> DocumentText
    {
        var cleaner = WordCleaner()
        var notes = notes
        try cleaner.read(body, &notes, part: "document.xml")
        return cleaner.builder.finish(declaredTitle: cleaner.declaredTitle)
    }

    private mutating func read(
        _ body: WordBody, _ notes: inout WordNotes, part: String
    ) throws(UnreadableDocument) {
        var body = body
        while body.readEvent() { take(from: &body, &notes) }
        finish(&body, &notes)
        guard body.reader.isWhole || hasText else {
            throw UnreadableDocument(
                "is damaged: \(part) is not well-formed XML, or is nested too deeply")
        }
        if !body.reader.isWhole {
            builder.findings.add(.cut, "damaged part", 1, "parts", detail: part)
        }
        builder.findings.add(body.leftOut.findings)
        builder.findings.add(notes.leftOut.findings)
    }

    /// Takes the items read so far, unless a cell or a text box is open. Their notes follow once no table or paragraph
    /// is open.
    private mutating func take(from body: inout WordBody, _ notes: inout WordNotes) {
        guard body.containers.isEmpty else { return }
        if !body.items.isEmpty {
            for item in body.items { add(item) }
            body.items.removeAll(keepingCapacity: true)
        }
        guard body.tables.isEmpty, body.paragraphs.isEmpty, !body.references.isEmpty else { return }
        for (mark, reference) in body.references {
            var mark: String? = mark
            for item in notes.take(reference) where !item.text.isEmpty {
                var block = CleanDocument.Block(
                    .paragraph, (mark.map { "\($0) " } ?? "") + item.text)
                block.links = item.links
                add(.block(block))
                mark = nil
            }
        }
        body.references.removeAll()
    }

    /// Takes what a truncated document left open.
    private mutating func finish(_ body: inout WordBody, _ notes: inout WordNotes) {
        while !body.paragraphs.isEmpty { body.endParagraph() }
        while let container = body.containers.popLast() {
            for item in container.items { body.emit(item) }
        }
        body.tables = []
        take(from: &body, &notes)
        endCode()
    }

    private mutating func add(_ item: WordItem) {
        if case .code(let line) = item {
            if !code.isEmpty || !WhiteSpace.collapsed(line).isEmpty { code.append(line) }
            return
        }
        endCode()
        hasText = true
        switch item {
        case .title(let text):
            if declaredTitle == nil, !text.isEmpty {
                declaredTitle = text
                shift = 1
            }
            builder.begin(text, level: 1, anchor: nil)
        case .heading(let text, let number, let level):
            builder.begin(
                number.isEmpty ? text : "\(number) \(text)", level: min(level + shift, 6),
                anchor: AnchorSet.slug(text))
        case .block(let block): builder.add(block)
        case .code: break
        }
    }

    private mutating func endCode() {
        let text = WhiteSpace.lines(code.joined(separator: "\n"))
        code = []
        if text.isEmpty { return }
        hasText = true
        builder.add(.code, text)
    }

    /// Counts the words of page headers, page footers and comments.
    private mutating func countOthers(of package: WordPackage) throws(UnreadableDocument) {
        for (prefix, reason) in [
            ("header", "page header"), ("footer", "page footer"), ("comments", "comment"),
        ] {
            var counter = WordCounter()
            for name in package.neighbours(beginningWith: prefix) {
                guard let reader = try package.part(name) else { continue }
                while let event = reader.next() {
                    switch event {
                    case .text(let text): counter.add(text)
                    case .end("w:p"): counter.endWord()
                    default: break
                    }
                }
            }
            builder.findings.add(.leftOut, reason, counter.count, "words")
        }
    }
}

/// Reads the metadata of a Word document.
enum WordMetadata {
    private static let names: [String: String] = [
        "dc:title": "title", "dc:creator": "author", "dc:subject": "subject",
        "dc:description": "description", "dc:language": "language", "cp:keywords": "keywords",
        "cp:category": "category", "dcterms:created": "created", "dcterms:modified": "modified",
    ]

    /// Reads `docProps/core.xml`.
    static func read(_ package: WordPackage) throws(UnreadableDocument) -> JSONObject {
        var result = JSONObject()
        guard let reader = try package.part("docProps/core.xml") else { return result }
        var name: String?
        while let event = reader.next() {
            switch event {
            case .begin(let element): name = names[element]
            case .end: name = nil
            case .text(let text):
                guard let name else { continue }
                let value = (result[name]?.string).map { $0 + text } ?? text
                let collapsed = WhiteSpace.collapsed(value)
                if !collapsed.isEmpty { result[name] = .string(collapsed) }
            }
        }
        return result
    }
}
