/// Finds the members of a JSON object in its canonical text, and reads none of their values.
///
/// The text may be anything: of what is no object a few members are found, or none.
struct CanonicalMembers {
    /// The bytes between the quotes of the last member's name.
    private(set) var name = 0..<0
    /// The text of its value.
    private(set) var value = 0..<0
    private var at = 1

    /// Goes to the next member; false at the end, and before what is no member.
    mutating func advance(in text: Span<UInt8>) -> Bool {
        guard at < text.count, text[at] == UInt8(ascii: "\"") else { return false }
        let nameStart = at + 1
        skipString(text)
        guard at < text.count, text[at] == UInt8(ascii: ":") else { return false }
        name = nameStart..<at - 1
        at += 1
        let start = at
        skipValue(text)
        guard at < text.count else { return false }
        value = start..<at
        // The comma, or the brace at the end.
        at += 1
        return true
    }

    /// Whether the last member has this name.
    func isNamed(_ other: String, in text: Span<UInt8>) -> Bool {
        TableBytes.areEqual(text.extracting(name), other.utf8Span.span)
    }

    /// Goes behind the string that begins here.
    private mutating func skipString(_ text: Span<UInt8>) {
        at += 1
        while at < text.count, text[at] != UInt8(ascii: "\"") {
            at += text[at] == UInt8(ascii: "\\") ? 2 : 1
        }
        at += 1
    }

    /// Goes to the comma or the brace behind the value that begins here.
    private mutating func skipValue(_ text: Span<UInt8>) {
        var depth = 0
        while at < text.count {
            switch text[at] {
            case UInt8(ascii: "\""):
                skipString(text)
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: ","): if depth == 0 { return }
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if depth == 0 { return }
                depth -= 1
            default: break
            }
            at += 1
        }
    }
}
