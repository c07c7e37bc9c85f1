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
