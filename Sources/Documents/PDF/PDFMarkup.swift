/// Reads the output of `pdftohtml -xml`.
///
/// It resembles XML but is not always well-formed: tags overlap, URLs are not escaped, and control characters appear
/// raw. So this parser reads tag by tag and accepts any input.
struct PDFMarkup {
    /// The pages that were written completely, in order.
    private(set) var pages: [PDFPage] = []
    /// The document's own table of contents.
    private(set) var outline: [PDFOutlineItem] = []

    private var fonts: [Int: PDFFont] = [:]
    private var page: PDFPage?
    private var fragment: PDFFragment?
    private var item: PDFOutlineItem?
    private var text: [UInt8] = []
    private var depth = 0
    private var fragments = 0

    /// The most text fragments: ten times what the longest manuals have.
    private static let fragmentLimit = 8_000_000
    private static let outlineLimit = 50_000
    private static let textLimit = 100_000

    /// Reads the output, which may end early.
    init(_ bytes: [UInt8]) {
        var index = 0
        while index < bytes.count, fragments < Self.fragmentLimit {
            if bytes[index] == UInt8(ascii: "<") {
                let end = Self.endOfTag(bytes, from: index)
                read(Tag(bytes[(index + 1)..<end]))
                index = end + 1
            } else {
                let end = bytes[index...].firstIndex(of: UInt8(ascii: "<")) ?? bytes.count
                if fragment != nil || item != nil, text.count < Self.textLimit {
                    text += bytes[index..<end]
                }
                index = end
            }
        }
    }

    /// Returns where a tag ends: at the next `>` outside quotes, or else at the end of the line.
    private static func endOfTag(_ bytes: [UInt8], from start: Int) -> Int {
        var isQuoted = false
        var index = start + 1
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\""): isQuoted.toggle()
            case UInt8(ascii: ">") where !isQuoted: return index
            // No tag spans lines, so a quote is missing.
            case 0x0A: return index
            default: break
            }
            index += 1
        }
        return bytes.count
    }

    private mutating func read(_ tag: Tag) {
        switch tag.name {
        case "page":
            page = PDFPage(
                number: Int(tag.number("number")), width: tag.number("width"),
                height: tag.number("height"))
        case "/page":
            if let page { pages.append(page) }
            page = nil
        case "fontspec":
            let size = Int(tag.number("size"))
            fonts[Int(tag.number("id"))] = PDFFont(family: tag.value("family") ?? "", size: size)
        case "text":
            fragment = PDFFragment(
                top: tag.number("top"), left: tag.number("left"), width: tag.number("width"),
                height: tag.number("height"), font: fonts[Int(tag.number("font"))] ?? PDFFont())
            text = []
        case "/text": endFragment()
        case "b": fragment?.font.isBold = true
        case "a":
            if let link = tag.value("href"), link.contains("://") || link.hasPrefix("mailto:") {
                fragment?.link = link
            }
        case "outline": depth += 1
        case "/outline": depth -= 1
        case "item":
            item = PDFOutlineItem(page: Int(tag.number("page")), level: max(1, depth))
            text = []
        case "/item":
            if var item, outline.count < Self.outlineLimit {
                item.title = WhiteSpace.collapsed(PDFCharacters.decoded(text))
                outline.append(item)
            }
            item = nil
        default: break
        }
    }

    private mutating func endFragment() {
        defer { fragment = nil }
        guard var fragment else { return }
        fragment.text = PDFCharacters.decoded(text)
        guard fragment.text.unicodeScalars.contains(where: { !WhiteSpace.isSpace($0) }) else {
            return
        }
        page?.fragments.append(fragment)
        fragments += 1
    }

    /// A tag with its attributes.
    private struct Tag {
        let name: String
        private let bytes: ArraySlice<UInt8>

        init(_ bytes: ArraySlice<UInt8>) {
            let end = bytes.firstIndex { $0 <= 0x20 } ?? bytes.endIndex
            name = String(decoding: bytes[..<end], as: UTF8.self)
            self.bytes = bytes[end...]
        }

        func value(_ wanted: String) -> String? {
            let mark = Array(" \(wanted)=\"".utf8)
            var index = bytes.startIndex
            while let start = bytes[index...].firstIndex(of: 0x20) {
                if bytes[start...].starts(with: mark) {
                    let value = bytes[(start + mark.count)...].prefix { $0 != UInt8(ascii: "\"") }
                    return PDFCharacters.decoded(value)
                }
                index = start + 1
            }
            return nil
        }

        /// Returns a number of plausible size, or 0.
        func number(_ name: String) -> Double {
            guard let value = value(name).flatMap({ Double($0) }), value.magnitude < 1e6 else {
                return 0
            }
            return value
        }
    }
}

/// Decodes text as poppler writes it.
enum PDFCharacters {
    /// Decodes character references and expands ligatures, which searches would miss.
    static func decoded(_ bytes: some Collection<UInt8>) -> String {
        var result = ""
        for scalar in unescaped(bytes).unicodeScalars {
            switch scalar.value {
            case 0xFB00: result += "ff"
            case 0xFB01: result += "fi"
            case 0xFB02: result += "fl"
            case 0xFB03: result += "ffi"
            case 0xFB04: result += "ffl"
            case 0xFB05, 0xFB06: result += "st"
            case 0xA0, 0x2002...0x200A: result += " "
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private static func unescaped(_ bytes: some Collection<UInt8>) -> String {
        guard bytes.contains(UInt8(ascii: "&")) else {
            return String(decoding: bytes, as: UTF8.self)
        }
        var result: [UInt8] = []
        var rest = bytes[...]
        while let byte = rest.first {
            if byte == UInt8(ascii: "&"),
                let end = rest.prefix(12).firstIndex(of: UInt8(ascii: ";")),
                let scalar = reference(rest[rest.index(after: rest.startIndex)..<end])
            {
                result += UTF8.encode(scalar).map(Array.init) ?? []
                rest = rest[rest.index(after: end)...]
            } else {
                result.append(byte)
                rest = rest.dropFirst()
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func reference(_ name: some Collection<UInt8>) -> Unicode.Scalar? {
        switch String(decoding: name, as: UTF8.self) {
        case "lt": "<"
        case "gt": ">"
        case "amp": "&"
        case "quot": "\""
        case "apos": "'"
        case let number where number.hasPrefix("#x"):
            UInt32(number.dropFirst(2), radix: 16).flatMap { Unicode.Scalar($0) }
        case let number where number.hasPrefix("#"):
            UInt32(number.dropFirst()).flatMap { Unicode.Scalar($0) }
        default: nil
        }
    }
}

/// A page as poppler sees it: text fragments with their positions.
struct PDFPage: Equatable {
    /// The page number, from 1.
    var number = 0
    /// The size, in poppler's unit of 1/108 inch, like all positions.
    var width = 0.0
    var height = 0.0
    var fragments: [PDFFragment] = []
}

/// A text fragment in one font, on one line.
struct PDFFragment: Equatable {
    var top = 0.0
    var left = 0.0
    var width = 0.0
    var height = 0.0
    var font = PDFFont()
    var text = ""
    /// The target of its link, if outside the document.
    var link: String?

    var right: Double { left + width }
    var bottom: Double { top + height }
}

/// A font at a size.
struct PDFFont: Hashable {
    /// The height of its characters, in the unit of positions.
    var size = 0
    var isBold = false
    var isMonospaced = false

    init() {}

    /// Creates the font of a family such as `ABCDEF+DejaVuSansMono-Bold`.
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

/// An entry of a document's outline.
struct PDFOutlineItem: Equatable {
    var title = ""
    var page = 0
    /// Its depth, from 1.
    var level = 1
}
