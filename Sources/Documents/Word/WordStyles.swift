/// The styles of a document, which give paragraphs and runs their properties.
struct WordStyles {
    /// A style with its inherited properties.
    struct Style: Equatable {
        /// What a style's name says about its paragraphs.
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
    /// Whether the default style is monospaced: fonts then do not distinguish code.
    private(set) var isMonospaced = false

    /// The maximum number of styles: more than any document has.
    private static let limit = 20_000
    /// The maximum number of styles that are followed from a style to its ancestors, which may form a cycle.
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

    /// Returns the style with an identifier, or a style without properties.
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

    /// Returns the role that a style's name implies. Word keeps the English names of its built-in styles in every
    /// language; other programs translate them.
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

/// The direct properties of a paragraph.
struct WordParagraphProperties: Equatable {
    var style: String?
    /// The heading level, from 0; 9 is body text.
    var outlineLevel: Int?
    /// The list it belongs to; 0 for none, regardless of its style.
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

/// The direct properties of a run of characters.
struct WordRunProperties: Equatable {
    var style: String?
    /// Whether its font is monospaced; nil if it names no font.
    var isMonospaced: Bool?
    /// Whether it is hidden; nil if it does not say.
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

/// Classifies fonts by name.
enum FontName {
    /// Whether a font's name indicates that it is monospaced.
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
    /// Proportional font families whose names contain one of the words.
    private static let exceptions = [
        "monotype", "monospecial", "harmony", "lmmono prop", "consolidat",
    ]
}
