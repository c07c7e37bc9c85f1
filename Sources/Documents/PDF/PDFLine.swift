/// A run of text on one line without a wide gap in it: a line of a column, or a cell of a table.
struct PDFSegment: Equatable {
    var left = 0.0
    var right = 0.0
    var top = 0.0
    var bottom = 0.0
    /// The font that most of its characters have.
    var font = PDFFont()
    var text = ""
    var links: [String] = []
    /// How many of its characters are in a font of one width, and how many there are.
    var monospaced = 0
    var bold = 0
    var characters = 0

    var isMonospaced: Bool { monospaced == characters }
    /// Marks such as commas after a bold word do not make it less bold.
    var isBold: Bool { bold * 10 >= characters * 9 }
    var size: Double { Double(max(font.size, 1)) }
    var width: Double { right - left }
}

/// A line of a column: its segments from left to right.
struct PDFLine: Equatable {
    var segments: [PDFSegment] = []
    var page = 0

    var left: Double { segments.first?.left ?? 0 }
    var right: Double { segments.last?.right ?? 0 }
    var top: Double { segments.map(\.top).min() ?? 0 }
    var bottom: Double { segments.map(\.bottom).max() ?? 0 }
    var text: String { segments.map(\.text).joined(separator: " ") }
    var links: [String] { segments.flatMap(\.links) }
    var isMonospaced: Bool { segments.allSatisfy(\.isMonospaced) }
    var isBold: Bool { segments.allSatisfy(\.isBold) }
    /// The font of its longest segment.
    var font: PDFFont { segments.max { $0.characters < $1.characters }?.font ?? PDFFont() }
    var size: Double { Double(max(font.size, 1)) }
    /// Where the letters stand, more or less, whatever the fonts' heights.
    var baseline: Double { segments.max { $0.characters < $1.characters }?.bottom ?? 0 }
}
