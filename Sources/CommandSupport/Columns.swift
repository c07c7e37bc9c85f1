/// Rows of cells that line up under each other.
public struct Columns: Sendable {
    /// How the cells of a column are placed.
    public enum Alignment: Sendable {
        /// Text.
        case left
        /// Numbers.
        case right
    }

    /// One cell: its text, and how it looks.
    public struct Cell: Sendable, ExpressibleByStringLiteral {
        let text: String
        let look: @Sendable (String) -> String

        /// A cell with a look; padding is added outside of it.
        public init(_ text: String, _ look: @escaping @Sendable (String) -> String = { $0 }) {
            self.text = text
            self.look = look
        }

        /// A plain cell.
        public init(stringLiteral value: String) { self.init(value) }
    }

    private let alignments: [Alignment]
    private var rows: [[Cell]] = []

    /// Begins a layout with one alignment for each column.
    public init(_ alignments: [Alignment]) { self.alignments = alignments }

    /// Adds a row.
    public mutating func append(_ cells: [Cell]) { rows.append(cells) }

    /// The lines, without white space at their ends.
    public var lines: [String] {
        let widths = alignments.indices.map { column in
            rows.map { $0.indices.contains(column) ? $0[column].text.displayWidth : 0 }.max() ?? 0
        }
        return rows.map { cells in
            var line = ""
            for (column, cell) in cells.enumerated() {
                let space = String(
                    repeating: " ", count: max(0, widths[column] - cell.text.displayWidth))
                let isLast = column == cells.count - 1
                switch alignments[column] {
                case .left: line += cell.look(cell.text) + (isLast ? "" : space)
                case .right: line += space + cell.look(cell.text)
                }
                if !isLast { line += "  " }
            }
            while line.last == " " { line.removeLast() }
            return line
        }
    }
}
