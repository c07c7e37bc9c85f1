/// Formats table rows as text.
enum TableText {
    /// Joins cells with bars; empty if all cells are.
    static func row(_ cells: [String]) -> String {
        guard cells.contains(where: { !$0.isEmpty }) else { return "" }
        return WhiteSpace.collapsed(cells.joined(separator: " | "))
    }
}

/// A format of delimited values, such as CSV.
struct DelimitedText {
    /// The character between values.
    var delimiter = UInt8(ascii: ",")
    /// The quotation mark around a value, doubled inside it; nil if values are never quoted.
    var quote: UInt8? = UInt8(ascii: "\"")
    /// The character that escapes the next one.
    var escape: UInt8?

    /// Parses rows; skips empty lines and collapses the white space of unquoted values.
    func rows(_ text: String) -> [[String]] {
        var rows: [[String]] = []
        var row: [String] = []
        var value: [UInt8] = []
        var isQuoted = false
        var wasQuoted = false
        func endValue() {
            let text = String(decoding: value, as: UTF8.self)
            row.append(wasQuoted ? text : WhiteSpace.collapsed(text))
            value = []
            wasQuoted = false
        }
        func endRow() {
            endValue()
            if row.count > 1 || row.first?.isEmpty == false { rows.append(row) }
            row = []
        }
        let bytes = Array(text.utf8)
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            if byte == escape, index < bytes.count {
                value.append(bytes[index])
                index += 1
            } else if isQuoted {
                if byte != quote {
                    value.append(byte)
                } else if index < bytes.count, bytes[index] == quote {
                    value.append(byte)
                    index += 1
                } else {
                    isQuoted = false
                }
            } else if byte == quote, value.allSatisfy({ $0 <= 0x20 }), !wasQuoted {
                value = []
                isQuoted = true
                wasQuoted = true
            } else if byte == delimiter {
                endValue()
            } else if byte == 0x0A {
                endRow()
            } else if !wasQuoted || byte > 0x20 {
                value.append(byte)
            }
        }
        endRow()
        return rows
    }
}
