/// Handles the elements of WordprocessingML.
extension WordBody {
    mutating func begin(_ name: String) {
        if name.hasPrefix("m:") { return beginMathematics(name) }
        switch name {
        case "w:p", "a:p": paragraphs.append(WordParagraph())
        case "w:pPr":
            let properties = WordParagraphProperties(reader)
            depth -= 1
            if let last = paragraphs.indices.last { paragraphs[last].properties = properties }
        case "w:r":
            run = WordRunProperties()
            enter(.run)
        case "w:rPr":
            run = WordRunProperties(reader)
            depth -= 1
        case "w:t", "w:delText", "a:t":
            texts += 1
            enter(.text)
        case "w:tab", "w:ptab": add("\t")
        case "w:br", "w:cr", "a:br": add("\n")
        case "w:noBreakHyphen": add("\u{2011}")
        case "w:sym": addSymbol()
        case "w:del", "w:moveFrom":
            deletions += 1
            enter(.deleted)
        case "w:hyperlink": reader.attribute("r:id").flatMap { links[$0] }.map { addLink($0) }
        case "w:fldSimple": addLink(ofField: reader.attribute("w:instr") ?? "")
        case "w:fldChar": readFieldMark()
        case "w:instrText": readInstruction()
        case "w:footnoteReference": addReference(.footnote)
        case "w:endnoteReference": addReference(.endnote)
        case "w:tbl", "w:tr", "w:tc", "w:tblPr", "w:tblGrid", "w:trPr", "w:tcPr": beginTable(name)
        case "w:sdtPr": readControlProperties()
        case "w:txbxContent": containers.append(Container(isCell: false))
        case "mc:AlternateContent": enter(.alternatives(hasChoice: false))
        case "mc:Choice", "mc:Fallback": beginAlternative()
        case "w:rt":
            leftOut.others.add(.leftOut, "ruby", 1, "readings")
            skip()
        case "w:sectPr", "w:proofErr", "w:sdtEndPr", "w:tblPrEx", "w:rubyPr", "w:customXmlPr",
            "w:footnotePr", "w:endnotePr":
            skip()
        default: beginObject(name)
        }
    }

    /// Handles pictures, charts and other embedded objects.
    private mutating func beginObject(_ name: String) {
        switch name {
        case "wp:docPr":
            let text = WhiteSpace.collapsed(reader.attribute("descr") ?? "")
            // Word generates descriptions of pictures; no author wrote them.
            if !text.isEmpty, !text.contains("generated") { add(" \(text) ") }
        case "pic:pic", "v:imagedata": count("image", "images")
        case "c:chart": count("chart", "charts")
        case "dgm:relIds": count("diagram", "diagrams")
        case "w:object":
            count("embedded object", "objects")
            skip()
        case "w:altChunk", "w:subDoc":
            leftOut.others.add(.notUnderstood, "embedded document", 1, "documents")
        default: break
        }
    }

    private mutating func count(_ reason: String, _ unit: String) {
        if deletions == 0 { leftOut.others.add(.leftOut, reason, 1, unit) }
    }

    mutating func end(_ name: String) {
        switch name {
        case "w:p", "a:p": endParagraph()
        case "w:tc", "w:tr", "w:tbl": endTable(name)
        case "w:txbxContent":
            guard let box = containers.popLast() else { break }
            if let last = paragraphs.indices.last {
                paragraphs[last].boxes += box.items
            } else {
                for item in box.items { emit(item) }
            }
        default: break
        }
        guard let last = scopes.last, last.depth == depth else { return }
        scopes.removeLast()
        switch last.scope {
        case .run: run = WordRunProperties()
        case .text: texts -= 1
        case .deleted:
            deletions -= 1
            leftOut.deleted.endWord()
        case .contents: contents -= 1
        case .placeholder: placeholders -= 1
        case .mathematics(let closing): add(closing)
        case .alternatives: break
        }
    }

    /// Enters the first of several alternatives for the same content; skips the others.
    private mutating func beginAlternative() {
        guard let last = scopes.indices.last, case .alternatives(let hasChoice) = scopes[last].scope
        else { return }
        if hasChoice { return skip() }
        scopes[last].scope = .alternatives(hasChoice: true)
    }

    /// Reads the properties of a content control.
    private mutating func readControlProperties() {
        var isContents = false
        var isPlaceholder = false
        reader.forEachElement { name in
            switch name {
            case "w:docPartGallery":
                isContents = reader.value?.lowercased() == "table of contents"
            case "w:showingPlcHdr": isPlaceholder = reader.isOn
            default: break
            }
        }
        depth -= 1
        // Both last until the control ends, one level further out.
        if isContents {
            contents += 1
            scopes.append((depth, .contents))
        }
        if isPlaceholder {
            placeholders += 1
            scopes.append((depth, .placeholder))
        }
    }

    private mutating func addSymbol() {
        let font = reader.attribute("w:font") ?? ""
        let code = reader.attribute("w:char").flatMap { UInt32($0, radix: 16) } ?? 0
        if let text = WordSymbols.text(code, font: font) {
            add(text)
        } else {
            add("\u{FFFD}")
            leftOut.others.add(
                .notUnderstood, "symbol", 1, "symbols", detail: WhiteSpace.collapsed(font))
        }
    }

    // MARK: - Fields

    private mutating func readFieldMark() {
        switch reader.attribute("w:fldCharType") {
        case "begin": fields.append("")
        case "separate": if let field = fields.last { addLink(ofField: field) }
        case "end": _ = fields.popLast()
        default: break
        }
    }

    private mutating func readInstruction() {
        var text = ""
        var inner = 1
        while inner > 0, let event = reader.next() {
            switch event {
            case .begin: inner += 1
            case .end: inner -= 1
            case .text(let part): text += part
            }
        }
        depth -= 1
        guard let last = fields.indices.last, fields[last].utf8.count < 10_000 else { return }
        fields[last] += text
    }

    /// Adds the link of a field such as `HYPERLINK "https://example.com"`.
    private mutating func addLink(ofField instruction: String) {
        let words = instruction.split(separator: " ", maxSplits: 1)
        guard words.count == 2, words[0].uppercased() == "HYPERLINK" else { return }
        let quoted = words[1].split(separator: "\"", omittingEmptySubsequences: false)
        // A switch before the address means a place in this document.
        guard quoted.count >= 3, WhiteSpace.collapsed(String(quoted[0])).isEmpty else { return }
        addLink(String(quoted[1]))
    }

    private mutating func addLink(_ target: String) {
        if let last = paragraphs.indices.last { paragraphs[last].addLink(target) }
    }

    private mutating func addReference(_ kind: WordNotes.Kind) {
        guard deletions == 0, let identifier = reader.attribute("w:id") else { return }
        noteCounts[kind, default: 0] += 1
        let mark = kind.mark(noteCounts[kind, default: 1])
        add(mark)
        references.append((mark, WordNotes.Reference(kind: kind, identifier: identifier)))
    }

    // MARK: - Formulas

    private mutating func beginMathematics(_ name: String) {
        switch name {
        case "m:t":
            texts += 1
            enter(.text)
        case "m:den": add("/")
        case "m:sup": add("^")
        case "m:sub": add("_")
        case "m:rad": add("√")
        case "m:d":
            add("(")
            enter(.mathematics(closing: ")"))
        case "m:num", "m:e":
            break
        case "m:oMathPara": if paragraphs.isEmpty { paragraphs.append(WordParagraph()) }
        case "m:chr": add(reader.attribute("m:val") ?? "")
        case "m:rPr": skip()
        default: break
        }
    }
}

/// Tables: each row becomes one block, whatever its cells contain, unless the table has only one column.
extension WordBody {
    mutating func beginTable(_ name: String) {
        switch name {
        case "w:tbl": tables.append(WordTable())
        case "w:tblPr": readTableProperties()
        case "w:tblGrid": readGrid()
        case "w:tr":
            guard let last = tables.indices.last else { return }
            tables[last].cells = []
            tables[last].links = []
            tables[last].isHeader = false
        case "w:trPr": readRowProperties()
        case "w:tc":
            if let table = tables.last, !table.isFrame {
                containers.append(Container(isCell: true))
            }
        default: skip()
        }
    }

    private mutating func readTableProperties() {
        var hasFirstRow = true
        reader.forEachElement { name in
            guard name == "w:tblLook" else { return }
            if let value = reader.attribute("w:firstRow") {
                hasFirstRow = value != "0" && value != "false"
            } else if let bits = reader.value.flatMap({ UInt32($0, radix: 16) }) {
                hasFirstRow = bits & 0x20 != 0
            }
        }
        depth -= 1
        if let last = tables.indices.last { tables[last].hasFirstRow = hasFirstRow }
    }

    private mutating func readGrid() {
        var columns = 0
        reader.forEachElement { if $0 == "w:gridCol" { columns += 1 } }
        depth -= 1
        if let last = tables.indices.last, tables[last].rows == 0 {
            tables[last].isFrame = columns == 1
        }
    }

    private mutating func readRowProperties() {
        var isHeader = false
        var isDeleted = false
        reader.forEachElement { name in
            switch name {
            case "w:tblHeader": isHeader = reader.isOn
            case "w:del": isDeleted = true
            default: break
            }
        }
        depth -= 1
        guard let last = tables.indices.last else { return }
        tables[last].isHeader = isHeader
        if isDeleted, !tables[last].isDeleted {
            tables[last].isDeleted = true
            deletions += 1
        }
    }

    mutating func endTable(_ name: String) {
        guard let last = tables.indices.last else { return }
        switch name {
        case "w:tc":
            guard !tables[last].isFrame, containers.last?.isCell ?? false,
                let cell = containers.popLast()
            else { return }
            tables[last].cells.append(cell.items.map(\.text).joined(separator: " "))
            for item in cell.items { tables[last].addLinks(item.links) }
        case "w:tr": endRow(of: last)
        default:
            if tables[last].isDeleted { deletions -= 1 }
            tables.removeLast()
        }
    }

    private mutating func endRow(of index: Int) {
        let table = tables[index]
        if table.isDeleted {
            tables[index].isDeleted = false
            deletions -= 1
        }
        let text = TableText.row(table.cells)
        guard !table.isFrame, !text.isEmpty else { return }
        tables[index].rows += 1
        var block = CleanDocument.Block(.tableRow, text)
        block.isHeader = table.isHeader || table.rows == 0 && table.hasFirstRow
        block.links = table.links
        emit(.block(block))
    }
}
