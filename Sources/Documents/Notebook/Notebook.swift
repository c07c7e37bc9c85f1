internal import Objects

/// Reads a Jupyter notebook: its prose, its code and its outputs, in the order of the cells.
struct Notebook {
    private var builder = SectionBuilder()
    private var declaredTitle: String?
    private var metadata = JSONObject()
    private var language: String?
    private var isFirst = true

    /// The most JSON values: more than any notebook has, and each takes up to a hundred bytes of memory.
    private static let valueLimit = 2_000_000

    /// Reads a notebook of format 3 or 4.
    static func clean(_ raw: RawDocument) throws(UnreadableDocument) -> DocumentText {
        let decoded = try TextDecoding.decode(raw.bytes, declared: raw.encoding)
        guard let bytes = LenientJSON.standard(Array(decoded.text.utf8), valueLimit: valueLimit)
        else {
            throw UnreadableDocument(
                "is a Jupyter notebook of more than \(valueLimit) values, which is the limit")
        }
        let json: JSON
        do throws(JSONError) {
            json = try JSON(parsing: bytes.span)
        } catch {
            throw UnreadableDocument(
                "is not a Jupyter notebook: \(error.reason) (at byte \(error.offset))")
        }
        let worksheets = json["worksheets"]?.array?.compactMap { $0["cells"]?.array }
        guard let cells = json["cells"]?.array ?? worksheets.map({ Array($0.joined()) }) else {
            throw UnreadableDocument("is not a Jupyter notebook: it has no cells")
        }
        var notebook = Notebook()
        notebook.read(metadata: json["metadata"])
        for cell in cells { notebook.add(cell) }
        var text = notebook.builder.finish(declaredTitle: notebook.declaredTitle)
        text.metadata = notebook.metadata
        text.findings.add(decoded.findings)
        return text
    }

    private mutating func read(metadata found: JSON?) {
        let kernel = found?["kernelspec"]
        language = Self.name(
            found?["language_info"]?["name"]?.string ?? kernel?["language"]?.string
                ?? found?["language"]?.string)
        let title = found?["title"]?.string.map(WhiteSpace.collapsed) ?? ""
        if !title.isEmpty {
            declaredTitle = title
            metadata["title"] = .string(title)
        }
        let authors = found?["authors"]?.array?.compactMap { $0["name"]?.string ?? $0.string } ?? []
        if !authors.isEmpty { metadata["authors"] = .array(authors.map { .string($0) }) }
        if let language { metadata["language"] = .string(language) }
    }

    /// Returns the name of a language in lower case; `python` for names such as `ipython3`, which kernels may give.
    private static func name(_ language: String?) -> String? {
        guard let name = language.map(WhiteSpace.collapsed)?.lowercased(), !name.isEmpty else {
            return nil
        }
        return name.hasPrefix("ipython") ? "python" : name
    }

    private mutating func add(_ cell: JSON) {
        let attachments = cell["attachments"]?.object?.count ?? 0
        builder.findings.add(.leftOut, "attachment", attachments, "attachments")
        let source = Self.text(cell["source"] ?? cell["input"])
        defer { isFirst = false }
        switch cell["cell_type"]?.string {
        case "markdown": MarkdownCleaner.add(source, to: &builder)
        case "heading":
            let heading = WhiteSpace.collapsed(source)
            let level = max(1, min(cell["level"]?.integer ?? 1, 6))
            if !heading.isEmpty { builder.begin(heading, level: level, anchor: nil) }
        case "code": addCode(source, of: cell)
        case "raw": addRaw(source, of: cell)
        case let kind:
            builder.findings.add(
                .notUnderstood, "cell", 1, "cells", detail: WhiteSpace.collapsed(kind ?? "no type"))
            builder.add(.code, WhiteSpace.lines(source))
        }
    }

    private mutating func addCode(_ source: String, of cell: JSON) {
        var block = CleanDocument.Block(.code, WhiteSpace.lines(source))
        block.language = Self.magic(source) ?? Self.name(cell["language"]?.string) ?? language
        builder.add(block)
        for output in cell["outputs"]?.array ?? [] {
            let output = NotebookOutput(output)
            for block in output.blocks { builder.add(block) }
            builder.findings.add(output.findings)
        }
    }

    /// Returns the language that a cell's first line switches to: `%%bash`.
    private static func magic(_ source: String) -> String? {
        guard source.utf8.starts(with: "%%".utf8) else { return nil }
        let name = source.utf8.dropFirst(2).prefix { $0 > 0x20 }
        switch String(Substring(name)).lowercased() {
        case "bash", "sh", "script": return "bash"
        case "js", "javascript": return "javascript"
        case "html", "svg", "latex", "perl", "ruby", "sql", "r", "cython", "markdown":
            return String(Substring(name)).lowercased()
        default: return nil
        }
    }

    /// Adds a raw cell: HTML and Markdown as text, anything else unchanged. Front matter in the first cell becomes
    /// metadata instead.
    private mutating func addRaw(_ source: String, of cell: JSON) {
        let format = cell["metadata"]?["raw_mimetype"] ?? cell["metadata"]?["format"]
        if isFirst, source.utf8.starts(with: "---".utf8) {
            let found = MarkdownCleaner.clean(source + "\n")
            declaredTitle = declaredTitle ?? found.declaredTitle
            if found.declaredTitle != nil || !found.metadata.isEmpty {
                for member in found.metadata { metadata[member.key] = member.value }
                return
            }
        }
        switch format?.string {
        case "text/html":
            let found = HTMLCleaner.fragment(source)
            for block in found.blocks { builder.add(block) }
            builder.findings.add(found.findings)
        case "text/markdown": MarkdownCleaner.add(source, to: &builder)
        default: builder.add(.code, WhiteSpace.lines(source))
        }
    }

    /// Returns a string that is stored whole or as an array of lines.
    static func text(_ value: JSON?) -> String {
        value?.string ?? (value?.array ?? []).compactMap(\.string).joined()
    }
}

/// The output of a notebook cell.
struct NotebookOutput {
    /// Its text.
    private(set) var blocks: [CleanDocument.Block] = []
    /// What was left out of it or not understood.
    private(set) var findings = Finding.List()

    /// Reads an output of format 3 or 4.
    init(_ output: JSON) {
        switch output["output_type"]?.string {
        case "stream": add(Notebook.text(output["text"]))
        case "error", "pyerr":
            let lines = output["traceback"]?.array?.compactMap(\.string) ?? []
            let name = output["ename"]?.string ?? "error"
            add(
                lines.isEmpty
                    ? "\(name): \(output["evalue"]?.string ?? "")" : lines.joined(separator: "\n"))
        default: addData(output["data"]?.object ?? output.object ?? JSONObject())
        }
    }

    /// Takes one text form of an output stored in several: HTML if it has a table or there is no plain text, else plain
    /// text, else Markdown or LaTeX.
    private mutating func addData(_ data: JSONObject) {
        func text(_ names: String...) -> String? {
            names.lazy.compactMap { data[$0] }.first.map(Notebook.text)
        }
        let others = data.members.filter { !Self.textual.contains($0.key) }
        let images = others.count { $0.key.hasPrefix("image/") || Self.images.contains($0.key) }
        findings.add(.leftOut, "image", images, "images")
        for member in others where member.key.hasPrefix("application/") {
            findings.add(
                .leftOut, "output", 1, "outputs", detail: WhiteSpace.collapsed(member.key))
        }
        let plain = text("text/plain", "text")
        if let html = text("text/html", "html"), html.utf8.count <= Self.htmlLimit {
            let found = HTMLCleaner.fragment(html)
            if plain == nil || found.blocks.contains(where: { $0.kind == .tableRow }) {
                blocks += found.blocks
                return findings.add(found.findings)
            }
        }
        if let plain {
            // Python represents an object without text as `<...>`; next to an image it adds nothing.
            let isName =
                plain.utf8.first == UInt8(ascii: "<") && plain.utf8.last == UInt8(ascii: ">")
            if images > 0, isName { return }
            add(plain)
        } else if let text = text("text/markdown", "text/latex", "latex") {
            add(text)
        }
    }

    private static let textual: Set<String> = [
        "text/plain", "text", "text/html", "html", "text/markdown", "text/latex", "latex",
    ]
    /// The names of images in format 3.
    private static let images: Set<String> = ["png", "jpeg", "svg"]
    /// The maximum number of bytes of HTML; larger outputs are programs, such as a plot with its library.
    private static let htmlLimit = 1 << 20

    private mutating func add(_ text: String) {
        let lines = WhiteSpace.lines(Self.shown(text))
        if !lines.isEmpty { blocks.append(CleanDocument.Block(.code, lines)) }
    }

    /// Returns the text that a terminal ends up showing: without escape sequences, and only the last state of a line
    /// that carriage returns overwrite.
    static func shown(_ text: String) -> String {
        var result: [UInt8] = []
        result.reserveCapacity(text.utf8.count)
        var lineStart = 0
        var isReturned = false
        var bytes = text.utf8.makeIterator()
        var next = bytes.next()
        while let byte = next {
            next = bytes.next()
            switch byte {
            case 0x1B:
                // CSI: parameters, then a letter. Any other sequence has one byte.
                guard next == UInt8(ascii: "[") else {
                    if next != nil, next != 0x0A { next = bytes.next() }
                    continue
                }
                repeat {
                    next = bytes.next()
                } while next.map { (0x20..<0x40).contains($0) } ?? false
                if next.map({ (0x40..<0x7F).contains($0) }) ?? false { next = bytes.next() }
            case 0x0D: isReturned = true
            case 0x0A:
                result.append(byte)
                lineStart = result.count
                isReturned = false
            default:
                if isReturned { result.removeSubrange(lineStart...) }
                isReturned = false
                result.append(byte)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
