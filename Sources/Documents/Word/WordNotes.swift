/// The footnotes and endnotes of a document.
struct WordNotes {
    /// Where notes stand.
    enum Kind: Hashable {
        case footnote, endnote

        /// The mark of a note in the text, by its number.
        func mark(_ number: Int) -> String {
            self == .footnote ? "[\(number)]" : "[\(WordNumberFormat.text(number, "lowerRoman"))]"
        }
    }

    /// What the text calls a note.
    struct Reference: Hashable {
        let kind: Kind
        let identifier: String
    }

    private var notes: [Reference: [WordItem]] = [:]
    /// What of them is not in their text.
    private(set) var leftOut = WordLeftOut()

    /// Reads a part with notes.
    mutating func read(
        _ reader: XMLReader, _ kind: Kind, styles: WordStyles, links: [String: String]
    ) {
        var body = WordBody(reader, styles: styles, numbering: WordNumbering(), links: links)
        body.leftOut = leftOut
        var reference: Reference?
        while body.readNoteEvent(
            begin: { identifier in
                reference = identifier.map { Reference(kind: kind, identifier: $0) }
            },
            end: { items in
                if let reference { notes[reference] = items }
                reference = nil
            })
        {}
        leftOut = body.leftOut
    }

    /// Takes the text of a note: once.
    mutating func take(_ reference: Reference) -> [WordItem] {
        notes.removeValue(forKey: reference) ?? []
    }
}

extension WordBody {
    /// As ``readEvent()``, for a part whose elements `w:footnote` and `w:endnote` are notes.
    mutating func readNoteEvent(begin: (String?) -> Void, end: ([WordItem]) -> Void) -> Bool {
        guard let event = reader.next() else { return false }
        switch event {
        case .begin("w:footnote"), .begin("w:endnote"):
            depth += 1
            begin(reader.attribute("w:id"))
            items = []
        case .end("w:footnote"), .end("w:endnote"):
            depth -= 1
            end(items)
            items = []
        case .begin(let name):
            depth += 1
            self.begin(name)
        case .end(let name):
            self.end(name)
            depth -= 1
        case .text(let text): if texts > 0 { add(text) }
        }
        return true
    }
}
