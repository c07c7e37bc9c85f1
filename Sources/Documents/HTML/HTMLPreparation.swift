/// Rewrites a page so that the parser needs bounded memory, stack and time.
///
/// It leaves out comments and the content of `noscript`; all other text stays the same unless a limit cuts it.
///
/// gumbo follows the HTML standard. It allocates a node per tag, which can cost a hundred times the bytes of the
/// page; it walks up the tree for each tag; it reopens unclosed `<font>` elements in every paragraph; and it frees
/// its tree recursively.
struct HTMLPreparation {
    /// The page to parse.
    private(set) var page: [UInt8] = []
    /// What was left out, replaced or cut.
    private(set) var findings = Finding.List()

    /// The most tags, attributes and texts in a page: the largest single-page manuals have a third as many.
    static let nodeLimit = 1_000_000
    /// The deepest nesting of elements.
    static let depthLimit = 400
    /// The most open formatting elements, such as `b`; the parser reopens them in every paragraph.
    private static let formatLimit = 32

    private let source: [UInt8]
    private let isXML: Bool
    private var open: [OpenElement] = []
    private var depth = 0
    private var formats = 0
    private var flattened = 0
    private var isAlternative = false

    private struct OpenElement {
        let name: HTMLTokens.Name
        /// Whether its tag is in the output.
        let isKept: Bool
    }

    /// Rewrites a page in UTF-8.
    init(_ source: [UInt8], nodes limit: Int = nodeLimit) {
        self.source = source
        isXML = Self.isXML(source)
        page.reserveCapacity(source.count)
        var tokens = HTMLTokens(source, isXML: isXML)
        var nodes = 0
        while let token = tokens.next() {
            nodes += Self.nodes(of: token)
            guard nodes <= limit else {
                findings.add(
                    .cut, "size", source.count - page.count, "bytes",
                    detail: "more than \(limit) tags, attributes and texts")
                break
            }
            take(token)
        }
        findings.add(
            .replaced, "nesting", flattened, "elements",
            detail: "deeper than \(Self.depthLimit) levels")
    }

    private static func nodes(of token: HTMLTokens.Token) -> Int {
        switch token {
        case .text, .characterData: 1
        case .start(let tag): 1 + min(tag.attributes.count, HTMLTokens.attributeLimit)
        case .end: 1
        case .hidden: 0
        }
    }

    /// Whether a page is XML, where any element may close itself.
    private static func isXML(_ page: [UInt8]) -> Bool {
        let start = page.drop { $0 <= 0x20 }
        return start.starts(with: "<?xml".utf8) || start.starts(with: "<ac:".utf8)
    }

    private mutating func take(_ token: HTMLTokens.Token) {
        let isAlternative = self.isAlternative
        self.isAlternative = false
        switch token {
        case .text(let range) where isAlternative:
            findings.add(.leftOut, "fallback", WordCounter.count(source[range]), "words")
        case .text(let range): page += source[range]
        case .characterData(let range):
            for byte in source[range] {
                switch byte {
                case UInt8(ascii: "<"): page += Array("&lt;".utf8)
                case UInt8(ascii: "&"): page += Array("&amp;".utf8)
                default: page.append(byte)
                }
            }
        case .hidden(let range):
            // The parser needs the document type for the tree; comments are dropped.
            if source[range].dropFirst(2).prefix(7).map(HTMLTokens.lowercased) == Self.documentType
            {
                page += source[range]
            } else if source[range].starts(with: "<!--".utf8) {
                findings.add(.leftOut, "comment", WordCounter.count(source[range]), "words")
            }
        case .start(let tag): start(tag)
        case .end(let tag): end(tag)
        }
    }

    private static let documentType = Array("doctype".utf8)

    // MARK: - Elements

    private mutating func start(_ tag: HTMLTokens.Tag) {
        let name = HTMLTokens.Name(source, tag.name)
        if Self.void.contains(name) { return copy(tag) }
        // With scripts enabled, browsers treat the content of `noscript` as raw text.
        if name == Self.noScript { return isAlternative = true }
        closeImplied(before: name)
        if Self.formatting.contains(name) {
            // A formatting element without attributes only changes how text looks, so its tag can go.
            guard !tag.attributes.isEmpty, formats < Self.formatLimit, name != Self.font else {
                return
            }
            formats += 1
        }
        let isEmpty =
            tag.closesItself && (isXML || source[tag.name].contains(UInt8(ascii: ":")))
        let isKept = depth < Self.depthLimit
        if isKept {
            copy(tag)
        } else {
            flattened += 1
            if !Self.inline.contains(name) { page += Array("<br>".utf8) }
        }
        if isEmpty {
            if isKept { page += Array("</".utf8) + source[tag.name] + [UInt8(ascii: ">")] }
        } else {
            push(OpenElement(name: name, isKept: isKept))
        }
    }

    private mutating func push(_ element: OpenElement) {
        open.append(element)
        if element.isKept { depth += 1 }
    }

    private mutating func pop() {
        guard let last = open.popLast() else { return }
        if last.isKept { depth -= 1 }
        if Self.formatting.contains(last.name) { formats -= 1 }
    }

    private mutating func end(_ tag: HTMLTokens.Tag) {
        let name = HTMLTokens.Name(source, tag.name)
        guard let index = open.suffix(Self.reach).lastIndex(where: { $0.name == name }) else {
            // An unmatched end tag of a formatting element belongs to a start tag that was dropped. Others stay:
            // browsers turn `</p>` and `</br>` into elements.
            if name == Self.paragraph || name == Self.lineBreak || !Self.formatting.contains(name) {
                page += source[tag.range]
            }
            return
        }
        if open[index].isKept { page += source[tag.range] }
        while open.count > index { pop() }
    }

    /// How many of the innermost open elements an end tag is matched against.
    private static let reach = 1000

    /// Closes elements whose end tag HTML lets authors omit.
    private mutating func closeImplied(before name: HTMLTokens.Name) {
        while let last = open.last, let siblings = Self.implied[last.name],
            siblings.contains(name) != (last.name == Self.paragraph)
        { pop() }
    }

    /// The elements whose start tags close an open element; for a paragraph, the elements that do not close it.
    private static let implied: [HTMLTokens.Name: Set<HTMLTokens.Name>] = {
        let cells = "td th tr tbody thead tfoot"
        let rules = [
            "p": inlineNames, "li": "li", "dt": "dt dd", "dd": "dt dd", "td": cells, "th": cells,
            "tr": "tr tbody thead tfoot", "option": "option",
        ]
        return Dictionary(
            uniqueKeysWithValues: rules.map {
                (HTMLTokens.Name($0.key), HTMLTokens.Name.set($0.value))
            })
    }()

    private static let paragraph = HTMLTokens.Name("p")
    private static let lineBreak = HTMLTokens.Name("br")
    private static let noScript = HTMLTokens.Name("noscript")
    private static let font = HTMLTokens.Name("font")
    private static let void = HTMLTokens.Name.set(
        "area base br col embed hr img input link meta param source track wbr frame keygen")
    private static let formatting = HTMLTokens.Name.set(
        "b big em font i nobr s small strike strong tt u")
    private static let inlineNames =
        "a abbr acronym b bdi bdo big cite code data del dfn em font i img ins kbd label mark nobr q s "
        + "samp small span strike strong sub sup time tt u var wbr"
    private static let inline = HTMLTokens.Name.set(inlineNames)

    /// Copies a tag, without the attributes beyond the limit.
    private mutating func copy(_ tag: HTMLTokens.Tag) {
        guard tag.attributes.count > HTMLTokens.attributeLimit else {
            page += source[tag.range]
            return
        }
        page += source[tag.range.lowerBound..<tag.attributes[HTMLTokens.attributeLimit]]
        page.append(UInt8(ascii: ">"))
        findings.add(
            .cut, "attributes", 1, "tags",
            detail: "more than \(HTMLTokens.attributeLimit) attributes")
    }
}
