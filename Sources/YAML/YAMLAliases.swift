/// Aliases in YAML, which configurations and the heads of documents do without.
///
/// A few lines of aliases of aliases stand for more nodes than memory has, and whoever compares two of those nodes
/// visits all of them.
public enum YAMLAliases {
    /// Whether a text may hold an alias: an anchor `&name` and `*name` somewhere. Linear in the text.
    public static func arePossible(in yaml: String) -> Bool {
        var yaml = yaml
        yaml.makeContiguousUTF8()
        let text = yaml.utf8.span
        let anchors = Set(names(after: UInt8(ascii: "&"), in: text))
        guard !anchors.isEmpty else { return false }
        return names(after: UInt8(ascii: "*"), in: text).contains { anchors.contains($0) }
    }

    private static func names(after mark: UInt8, in text: Span<UInt8>) -> [[UInt8]] {
        var names: [[UInt8]] = []
        var at = 0
        while at < text.count {
            at += 1
            guard text[at - 1] == mark else { continue }
            var name: [UInt8] = []
            while at < text.count, isPartOfName(text[at]) {
                name.append(text[at])
                at += 1
            }
            if !name.isEmpty { names.append(name) }
        }
        return names
    }

    private static func isPartOfName(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x5F: true
        default: false
        }
    }
}
