/// What the first line of a fenced code block says of it: `python title="a.py"`, `{.python #id}`,
/// `{r, echo=FALSE}`, `python {1,3}`.
struct CodeInfo: Equatable {
    /// What it is written in, in lower case; nil where nothing is said.
    var language: String?
    /// What stands above it: its title, or the name of its file.
    var title: String?

    /// Reads what is behind the fence.
    init(_ text: String) {
        var bytes = Array(text.utf8)[...]
        bytes = bytes.drop { $0 == 0x20 || $0 == 0x09 }
        if bytes.first == UInt8(ascii: "{") {
            if let (list, _) = AttributeList.read(bytes) {
                language = list.classes.first.map(Self.language)
                title = Self.titleKeys.lazy.compactMap { list.values[$0] }.first
                return
            }
            // A chunk of knitr or Quarto: the language, and then options.
            let inner = bytes.dropFirst()
            let word = inner.prefix(while: Self.isPartOfName)
            let rest = inner[word.endIndex...]
            guard let next = rest.first, " ,}".utf8.contains(next) else { return }
            language = Self.nonEmpty(word)
            // `{code-block} python` names it behind the braces.
            if let close = rest.firstIndex(of: UInt8(ascii: "}")), language.map(Self.isCode) == true
            {
                language = Self.nonEmpty(
                    rest[(close + 1)...].drop { $0 == 0x20 }.prefix(while: Self.isPartOfName))
            }
            return
        }
        let word = bytes.prefix(while: Self.isPartOfName)
        let next = bytes[word.endIndex...].first
        // `js:app.js` and `python=` are names of files and options behind the language.
        if next.map({ $0 == UInt8(ascii: "=") }) != true || word.isEmpty {
            language = Self.nonEmpty(word)
        }
        title = Self.title(in: bytes)
    }

    private static let titleKeys = ["title", "filename", "file", "caption", "name"]

    /// The directives of Sphinx that are code.
    private static func isCode(_ name: String) -> Bool {
        ["code-block", "code", "sourcecode", "code-cell"].contains(name)
    }

    /// The value of the first key that names a title, in quotes.
    private static func title(in bytes: ArraySlice<UInt8>) -> String? {
        for key in titleKeys {
            for quote in [UInt8(ascii: "\""), UInt8(ascii: "'")] {
                let mark = Array(key.utf8) + [UInt8(ascii: "="), quote]
                guard let found = range(of: mark, in: bytes),
                    let end = bytes[found.upperBound...].firstIndex(of: quote)
                else { continue }
                return nonEmptyText(bytes[found.upperBound..<end])
            }
        }
        return nil
    }

    /// Where a mark begins a word.
    private static func range(of mark: [UInt8], in bytes: ArraySlice<UInt8>) -> Range<Int>? {
        guard bytes.count >= mark.count else { return nil }
        return (bytes.startIndex...bytes.endIndex - mark.count).first { start in
            bytes[start...].starts(with: mark)
                && (start == bytes.startIndex || " {,\t".utf8.contains(bytes[start - 1]))
        }.map { $0..<$0 + mark.count }
    }

    private static func language(_ name: String) -> String { name.lowercased() }

    private static func nonEmpty(_ bytes: ArraySlice<UInt8>) -> String? {
        bytes.isEmpty || bytes.count > 40
            ? nil : String(decoding: bytes, as: UTF8.self).lowercased()
    }

    private static func nonEmptyText(_ bytes: ArraySlice<UInt8>) -> String? {
        let text = WhiteSpace.collapsed(String(decoding: bytes, as: UTF8.self))
        return text.isEmpty ? nil : text
    }

    private static func isPartOfName(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x23, 0x2B, 0x2D, 0x2E, 0x2F, 0x5F: true
        default: byte >= 0x80
        }
    }
}
