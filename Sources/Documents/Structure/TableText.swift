/// How a row of a table reads as text.
enum TableText {
    /// Cells with a bar between them; empty when all of them are.
    static func row(_ cells: [String]) -> String {
        guard cells.contains(where: { !$0.isEmpty }) else { return "" }
        return WhiteSpace.collapsed(cells.joined(separator: " | "))
    }
}
