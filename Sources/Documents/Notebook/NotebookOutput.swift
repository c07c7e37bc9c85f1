internal import Objects

/// What a cell of a notebook wrote when it ran.
struct NotebookOutput {
    /// Its text.
    private(set) var blocks: [CleanDocument.Block] = []
    /// What of it is no text.
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

    /// One value in several forms: the richest that is text is taken.
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
            // Python's name for an object that has no text of its own.
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
    /// Larger ones are programs, such as a plot with its library.
    private static let htmlLimit = 1 << 20

    private mutating func add(_ text: String) {
        let lines = WhiteSpace.lines(Self.shown(text))
        if !lines.isEmpty { blocks.append(CleanDocument.Block(.code, lines)) }
    }

    /// What a terminal shows in the end: without escape sequences, and of a line that was written over and
    /// over the last state.
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
                // CSI: parameters, then a letter. Anything else has one byte.
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
