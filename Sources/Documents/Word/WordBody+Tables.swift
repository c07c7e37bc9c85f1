/// Tables: a row is a block, whatever is in its cells.
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
