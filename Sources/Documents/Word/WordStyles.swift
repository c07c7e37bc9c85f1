/// The styles of a document: what paragraphs and runs are that name them.
struct WordStyles {
    /// A style with what it inherits.
    struct Style: Equatable {
        /// What the name of a style makes of a paragraph.
        enum Role: Equatable {
            case title, contents, code, caption
            case heading(level: Int)
        }

        var role: Role?
        var paragraph = WordParagraphProperties()
        var run = WordRunProperties()
    }

    private struct Declaration {
        var name = ""
        var parent: String?
        var paragraph = WordParagraphProperties()
        var run = WordRunProperties()
    }

    private var styles: [String: Style] = [:]
    /// Whether the default style is monospaced: fonts then do not tell code from prose.
    private(set) var isMonospaced = false

    /// More than any document has.
    private static let limit = 20_000
    /// The longest chain of styles that are based on each other; Word has this limit too.
    private static let chainLimit = 16

    init() {}

    /// Reads `styles.xml`.
    init(_ reader: XMLReader) {
        var declared: [String: Declaration] = [:]
        var identifier: String?
        var defaults: [String] = []
        while let event = reader.next(), declared.count < Self.limit {
            guard case .begin(let name) = event else { continue }
            switch name {
            case "w:style":
                identifier = reader.attribute("w:styleId")
                guard let identifier else { continue }
                declared[identifier] = Declaration()
                let isDefault = reader.attribute("w:default").map { $0 == "1" || $0 == "true" }
                if isDefault ?? false, reader.attribute("w:type") == "paragraph" {
                    defaults.append(identifier)
                }
            case "w:name":
                if let identifier { declared[identifier]?.name = reader.value ?? "" }
            case "w:basedOn":
                if let identifier { declared[identifier]?.parent = reader.value }
            case "w:pPr":
                let properties = WordParagraphProperties(reader)
                if let identifier { declared[identifier]?.paragraph = properties }
            case "w:rPr":
                let properties = WordRunProperties(reader)
                if let identifier {
                    declared[identifier]?.run = properties
                } else if properties.isMonospaced ?? false {
                    isMonospaced = true
                }
            case "w:tblStylePr": reader.skip()
            default: break
            }
        }
        for (identifier, _) in declared {
            styles[identifier] = Self.resolved(identifier, in: declared)
        }
        for identifier in defaults where styles[identifier]?.run.isMonospaced ?? false {
            isMonospaced = true
        }
    }

    /// The style of an identifier; one without properties when there is none.
    subscript(identifier: String?) -> Style { identifier.flatMap { styles[$0] } ?? Style() }

    private static func resolved(_ identifier: String, in declared: [String: Declaration]) -> Style
    {
        var style = Style()
        var next: String? = identifier
        for _ in 0..<chainLimit {
            guard let identifier = next, let found = declared[identifier] else { break }
            style.role = style.role ?? role(ofName: found.name)
            style.paragraph.outlineLevel =
                style.paragraph.outlineLevel ?? found.paragraph.outlineLevel
            style.paragraph.keepsWithNext =
                style.paragraph.keepsWithNext ?? found.paragraph.keepsWithNext
            if style.paragraph.list == nil, let list = found.paragraph.list {
                style.paragraph.list = list
                style.paragraph.style = identifier
            }
            style.paragraph.listLevel = style.paragraph.listLevel ?? found.paragraph.listLevel
            style.run.isMonospaced = style.run.isMonospaced ?? found.run.isMonospaced
            style.run.isHidden = style.run.isHidden ?? found.run.isHidden
            next = found.parent
        }
        return style
    }

    /// What a name says. Word keeps the English names of its own styles in every language; other programs
    /// translate them.
    private static func role(ofName name: String) -> Style.Role? {
        let name = name.lowercased()
        switch name {
        case "title", "titel", "titre", "título", "titolo", "document title": return .title
        case "caption", "beschriftung", "légende", "table caption", "image caption": return .caption
        case "toc heading", "table of figures", "contents heading", "table of authorities":
            return .contents
        case "html code", "macro text": return .code
        default: break
        }
        let words = name.split(separator: " ")
        if words.count == 2, let level = Int(words[1]), (1...9).contains(level) {
            if headings.contains(String(words[0])) { return .heading(level: level) }
            if ["toc", "contents"].contains(words[0]) { return .contents }
        }
        let marks = [
            "source code", "sourcecode", "preformatted", "verbatim", "code block", "listing",
        ]
        if name == "code" || name.hasPrefix("code ") || name.hasSuffix(" code")
            || marks.contains(where: name.contains)
        {
            return .code
        }
        return nil
    }

    private static let headings: Set<String> = [
        "heading", "überschrift", "titre", "título", "titolo", "kop", "rubrik", "overskrift",
        "otsikko",
        "nagłówek", "nadpis", "заголовок", "标题", "見出し", "제목", "başlık", "cabeçalho", "címsor",
    ]
}

/// What a paragraph says of its own form.
struct WordParagraphProperties: Equatable {
    var style: String?
    /// The level of a heading, from 0; 9 is running text.
    var outlineLevel: Int?
    /// The list that it is an item of; 0 for none, whatever its style says.
    var list: Int?
    var listLevel: Int?
    var keepsWithNext: Bool?

    /// Reads `w:pPr`, which has just begun.
    init(_ reader: XMLReader) {
        reader.forEachElement { name in
            switch name {
            case "w:pStyle": style = reader.value
            case "w:outlineLvl": outlineLevel = reader.value.flatMap { Int($0) }
            case "w:numId": list = reader.value.flatMap { Int($0) }
            case "w:ilvl": listLevel = reader.value.flatMap { Int($0) }
            case "w:keepNext": keepsWithNext = reader.isOn
            default: break
            }
        }
    }

    init() {}
}

/// What a run of characters says of its own form.
struct WordRunProperties: Equatable {
    var style: String?
    /// Whether its font has characters of one width; nil when it names no font.
    var isMonospaced: Bool?
    /// Whether it is hidden; nil when it does not say.
    var isHidden: Bool?

    /// Reads `w:rPr`, which has just begun.
    init(_ reader: XMLReader) {
        reader.forEachElement { name in
            switch name {
            case "w:rStyle": style = reader.value
            case "w:rFonts":
                let font = reader.attribute("w:ascii") ?? reader.attribute("w:hAnsi")
                isMonospaced = font.map(FontName.isMonospaced)
            case "w:vanish": isHidden = reader.isOn
            default: break
            }
        }
    }

    init() {}
}

/// What the name of a font says.
enum FontName {
    /// Whether its characters have one width.
    static func isMonospaced(_ name: String) -> Bool {
        let name = name.lowercased()
        guard !exceptions.contains(where: name.contains) else { return false }
        return words.contains { name.contains($0) }
    }

    private static let words = [
        "mono", "courier", "consol", "menlo", "typewriter", "source code", "sourcecode",
        "fira code",
        "firacode", "cascadia", "inconsolata", "lucidasanstyp", "lucida sans typ", "terminal",
        "fixed",
        "andale", "hack-", "nimbusmon", "cmtt", "cmsltt", "ectt", "sftt", "lmtt", "txtt",
        "anonymous pro",
        "iosevka", "jetbrains", "ubuntu code", "ocr a", "ocrb", "letter gothic", "lettergothic",
    ]
    /// Families of proportional fonts whose names hold one of the words.
    private static let exceptions = [
        "monotype", "monospecial", "harmony", "lmmono prop", "consolidat",
    ]
}
