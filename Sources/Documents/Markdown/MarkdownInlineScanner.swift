/// Rewrites what a line of running text has that the parser does not know: references to footnotes, and
/// tags of templates. Code between backticks stays as it is.
struct MarkdownInlineScanner {
    private let text: ArraySlice<UInt8>

    /// The longest name of a footnote, and the longest tag that is looked for.
    private static let nameLimit = 100
    private static let tagLimit = 1000
    /// After so many braces that begin no tag a line has none.
    private static let failureLimit = 100

    init(_ text: ArraySlice<UInt8>) { self.text = text }

    /// The line for the parser; tags that are not understood are counted.
    func rewritten(_ findings: inout Finding.List) -> [UInt8] {
        guard text.contains("[^") || text.contains("{{") || text.contains("{%") else {
            return Array(text)
        }
        var result: [UInt8] = []
        result.reserveCapacity(text.count + 16)
        var at = text.startIndex
        var spans = CodeSpans()
        var failures = 0
        while at < text.endIndex {
            switch text[at] {
            case UInt8(ascii: "`"):
                let end = spans.end(in: text, from: at)
                result += text[at..<end]
                at = end
            case UInt8(ascii: "\\"):
                let end = min(at + 2, text.endIndex)
                result += text[at..<end]
                at = end
            case UInt8(ascii: "["):
                guard let (name, end) = Self.footnoteName(text[at...]),
                    end == text.endIndex || text[end] != UInt8(ascii: "(")
                else { fallthrough }
                result += Array("\\[\(Self.escaped(name))\\]".utf8)
                at = end
            case UInt8(ascii: "{"):
                guard failures < Self.failureLimit else { fallthrough }
                guard let tag = TemplateTag(text[at...], limit: Self.tagLimit) else {
                    failures += 1
                    fallthrough
                }
                findings.add(.notUnderstood, "template tag", 1, "tags", detail: tag.name)
                let isTarget = result.last == UInt8(ascii: "(") || result.last == UInt8(ascii: "\"")
                result += isTarget ? tag.target : Array(Self.escaped(text[at..<tag.end]).utf8)
                at = tag.end
            default:
                result.append(text[at])
                at += 1
            }
        }
        return result
    }

    /// The name in `[^name]` at the start of a text, and the place behind it.
    static func footnoteName(
        _ text: ArraySlice<UInt8>
    ) -> (name: ArraySlice<UInt8>, end: Int)? {
        guard text.starts(with: "[^".utf8) else { return nil }
        let name = text.dropFirst(2).prefix(nameLimit).prefix {
            $0 > 0x20 && $0 != UInt8(ascii: "[") && $0 != UInt8(ascii: "]")
        }
        guard !name.isEmpty, name.endIndex < text.endIndex,
            text[name.endIndex] == UInt8(ascii: "]")
        else { return nil }
        return (name, name.endIndex + 1)
    }

    /// A text in which no mark has a meaning.
    static func escaped(_ text: ArraySlice<UInt8>) -> String {
        var result: [UInt8] = []
        for byte in text {
            switch byte {
            case 0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E: result.append(0x5C)
            default: break
            }
            result.append(byte)
        }
        return String(decoding: result, as: UTF8.self)
    }
}

/// Finds where code between backticks ends, in time that grows with the text and not with its backticks.
struct CodeSpans {
    /// Runs of as many backticks are known not to occur again.
    private var unclosed: Set<Int> = []

    /// The end of the code that begins at a place, or of the backticks there when nothing closes them.
    mutating func end(in text: ArraySlice<UInt8>, from start: Int) -> Int {
        let open = text[start...].prefix { $0 == UInt8(ascii: "`") }
        guard !unclosed.contains(open.count) else { return open.endIndex }
        var at = open.endIndex
        while let next = text[at...].firstIndex(of: UInt8(ascii: "`")) {
            let run = text[next...].prefix { $0 == UInt8(ascii: "`") }
            if run.count == open.count { return run.endIndex }
            at = run.endIndex
        }
        unclosed.insert(open.count)
        return open.endIndex
    }
}
