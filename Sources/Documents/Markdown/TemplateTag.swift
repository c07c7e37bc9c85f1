/// A tag of a template language that stands in a text: `{% include x %}`, `{{ name }}`, `{{< ref "x" >}}`.
struct TemplateTag {
    /// The first word in it, such as `include`.
    let name: String
    /// The place behind it.
    let end: Int
    /// Whether it does something, and does not only stand for a value.
    let isStatement: Bool
    /// What is between its marks.
    private let inner: ArraySlice<UInt8>

    private static let titleKeys = ["title", "header", "label", "caption", "heading", "summary"]
    /// Statements whose first argument is what is shown.
    private static let titled: Set<String> = [
        "tab", "expand", "details", "card", "step", "accordion",
    ]

    /// Reads the tag that begins a text.
    init?(_ text: ArraySlice<UInt8>, limit: Int) {
        guard text.first == UInt8(ascii: "{"), let mark = text.dropFirst().first else { return nil }
        let start = text.startIndex
        let close: [UInt8]
        var open = 2
        switch mark {
        case UInt8(ascii: "%"): close = Array("%}".utf8)
        case UInt8(ascii: "{"):
            switch text.dropFirst(2).first {
            case UInt8(ascii: "<"): (close, open) = (Array(">}}".utf8), 3)
            case UInt8(ascii: "%"): (close, open) = (Array("%}}".utf8), 3)
            default: close = Array("}}".utf8)
            }
        default: return nil
        }
        var at = start + open
        let last = min(text.endIndex, start + limit)
        while at < last, !text[at...].starts(with: close) { at += 1 }
        guard at < last, start + open <= at else { return nil }
        inner = text[(start + open)..<at]
        end = at + close.count
        isStatement = mark == UInt8(ascii: "%") || open == 3
        let word = inner.drop { " -~/".utf8.contains($0) }.prefix {
            $0 > 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "|")
        }
        name = String(decoding: word.prefix(40), as: UTF8.self)
    }

    /// Whether it ends what another began.
    var isEnd: Bool {
        name.hasPrefix("end") || inner.drop { $0 == 0x20 }.first == UInt8(ascii: "/")
    }

    /// Whether it stands for the text of another file.
    var isInclude: Bool {
        [
            "include", "include_relative", "include-markdown", "includemarkdown", "render",
            "readfile",
        ]
        .contains(name.lowercased())
    }

    /// What is behind its first word.
    var argument: String {
        let rest = inner.drop { " -~/".utf8.contains($0) }.drop { $0 > 0x20 }
        return WhiteSpace.collapsed(String(decoding: rest, as: UTF8.self))
    }

    /// What is shown of it; nil for nothing.
    var title: String? {
        for key in Self.titleKeys {
            let parts = String(decoding: inner, as: UTF8.self).components(behind: "\(key)=")
            if let text = parts { return text }
        }
        return Self.titled.contains(name.lowercased()) ? firstQuoted : nil
    }

    /// What stands in quotes first.
    private var firstQuoted: String? {
        guard let open = inner.firstIndex(where: { $0 == 0x22 || $0 == 0x27 }),
            let close = inner[(open + 1)...].firstIndex(of: inner[open])
        else { return nil }
        let text = WhiteSpace.collapsed(String(decoding: inner[(open + 1)..<close], as: UTF8.self))
        return text.isEmpty ? nil : text
    }

    /// The tag as a part of an address, which has no spaces: what it refers to where it is a reference.
    var target: [UInt8] {
        if isStatement, let quoted = firstQuoted {
            return quoted.utf8.filter { $0 > 0x20 && $0 != 0x28 && $0 != 0x29 }
        }
        return Array("{{".utf8) + inner.filter { $0 > 0x20 && $0 != 0x28 && $0 != 0x29 }
            + Array("}}".utf8)
    }
}

extension String {
    /// The quoted text behind a mark; nil when there is none.
    fileprivate func components(behind mark: String) -> String? {
        let bytes = Array(utf8)[...]
        let mark = Array(mark.utf8)
        var at = bytes.startIndex
        while at + mark.count < bytes.endIndex {
            let quote = bytes[at + mark.count]
            if bytes[at...].starts(with: mark), quote == 0x22 || quote == 0x27,
                at == bytes.startIndex || bytes[at - 1] <= 0x20,
                let close = bytes[(at + mark.count + 1)...].firstIndex(of: quote)
            {
                let text = WhiteSpace.collapsed(
                    String(decoding: bytes[(at + mark.count + 1)..<close], as: UTF8.self))
                return text.isEmpty ? nil : text
            }
            at += 1
        }
        return nil
    }
}
