/// A page as poppler sees it: pieces of text with their places.
struct PDFPage: Equatable {
    /// Its number, from 1.
    var number = 0
    /// In the unit of all places: a hundred and eighth of an inch.
    var width = 0.0
    var height = 0.0
    var fragments: [PDFFragment] = []
}

/// A piece of text in one font, on one line.
struct PDFFragment: Equatable {
    var top = 0.0
    var left = 0.0
    var width = 0.0
    var height = 0.0
    var font = PDFFont()
    var text = ""
    /// Where it leads, outside of the document.
    var link: String?

    var right: Double { left + width }
    var bottom: Double { top + height }
}

/// A font at a size.
struct PDFFont: Hashable {
    /// The height of its characters, in the unit of places.
    var size = 0
    var isBold = false
    var isMonospaced = false

    init() {}

    /// Makes the font of a family such as `ABCDEF+DejaVuSansMono-Bold`.
    init(family: String, size: Int) {
        let name = family.split(separator: "+", maxSplits: 1).last.map(String.init) ?? family
        let lower = name.lowercased()
        self.size = size
        isMonospaced = FontName.isMonospaced(name)
        isBold = ["bold", "black", "heavy", "cmbx", "sfbx", "ecbx", "-demi", "semibd", "-medi"]
            .contains {
                lower.contains($0)
            }
    }
}

/// An item of a document's outline.
struct PDFOutlineItem: Equatable {
    var title = ""
    var page = 0
    /// How deep it is, from 1.
    var level = 1
}
