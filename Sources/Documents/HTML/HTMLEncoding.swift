/// The encoding that a page says it is in.
enum HTMLEncoding {
    /// Standards ask for the first 1,024 bytes; pages with long comments at their head need more.
    private static let reach = 4096
    private static let meta = HTMLTokens.Name("meta")

    /// What an XML declaration or a `meta` element names; nil when none does.
    static func suggested(by page: [UInt8]) -> String? {
        let head = Array(page.prefix(reach))
        if head.starts(with: "<?xml".utf8) {
            let end = head.firstIndex(of: UInt8(ascii: ">")) ?? head.count
            if let name = value(after: "encoding=", in: head[..<end]) { return name }
        }
        var tokens = HTMLTokens(head, isXML: false)
        while let token = tokens.next() {
            guard case .start(let tag) = token,
                HTMLTokens.Name(head, tag.name) == meta,
                let name = value(after: "charset=", in: head[tag.range])
            else { continue }
            return name
        }
        return nil
    }

    private static func value(after name: String, in bytes: ArraySlice<UInt8>) -> String? {
        let lower = bytes.map(HTMLTokens.lowercased).filter { $0 > 0x20 }
        let mark = Array(name.utf8)
        guard lower.count >= mark.count,
            let start = (0...(lower.count - mark.count)).first(where: {
                lower[$0...].starts(with: mark)
            })
        else { return nil }
        let value = lower[(start + mark.count)...].drop { $0 == 0x22 || $0 == 0x27 }
        let end: [UInt8] = [0x22, 0x27, 0x3E, 0x3B, 0x2F, 0x3F]
        let text = String(decoding: value.prefix { !end.contains($0) }, as: UTF8.self)
        return text.isEmpty ? nil : text
    }
}
