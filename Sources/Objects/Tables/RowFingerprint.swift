/// A hash of selected attributes of a row, seeded per process. Rows with different values of these attributes rarely
/// share a hash.
public struct RowFingerprint: Hashable, Sendable {
    private let number: Int

    /// Hashes the attributes of a row in a leaf without decoding them.
    ///
    /// - Parameter members: The names of the attributes to hash.
    public init(of members: [String], in leaf: TableLeaf, at index: Int) {
        let range = leaf.attributeRange(index)
        self.init(of: members, in: leaf.bytes.span.extracting(range))
    }

    /// Hashes decoded attributes, with the same result as those of a leaf.
    ///
    /// - Parameter members: The names of the attributes to hash.
    public init(of members: [String], in attributes: JSONObject) {
        var text: [UInt8] = []
        JSON.object(attributes).appendCanonical(to: &text)
        self.init(of: members, in: text.span)
    }

    private init(of names: [String], in text: Span<UInt8>) {
        var hasher = Hasher()
        var members = CanonicalMembers()
        while members.advance(in: text) {
            guard names.contains(where: { members.isNamed($0, in: text) }) else { continue }
            TableBytes.hash(text.extracting(members.value), into: &hasher)
        }
        number = hasher.finalize()
    }
}

/// Iterates over the members of a JSON object in canonical text without parsing their values.
///
/// Any bytes are safe: those that are not an object yield some members or none.
package struct CanonicalMembers {
    /// The bytes between the quotes of the current member's name.
    package private(set) var name = 0..<0
    /// The bytes of its value.
    package private(set) var value = 0..<0
    private var at = 1

    package init() {}

    /// Advances to the next member. Returns false at the end, and at anything that is not a member.
    package mutating func advance(in text: Span<UInt8>) -> Bool {
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
        // Skip the comma, or the closing brace.
        at += 1
        return true
    }

    /// Whether the current member has this name.
    package func isNamed(_ other: String, in text: Span<UInt8>) -> Bool {
        TableBytes.areEqual(text.extracting(name), other.utf8Span.span)
    }

    /// Skips the string that begins here.
    private mutating func skipString(_ text: Span<UInt8>) {
        at += 1
        while at < text.count, text[at] != UInt8(ascii: "\"") {
            at += text[at] == UInt8(ascii: "\\") ? 2 : 1
        }
        at += 1
    }

    /// Skips the value that begins here, up to the comma or brace after it.
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
