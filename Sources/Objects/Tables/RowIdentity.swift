/// The content of a row that is a chunk of a document, without its position.
///
/// A row is a chunk when it has the attributes `document`, `section`, `ordinal` and `text`. Two chunks have the same
/// content when `headings`, `text` and the vector are equal: the same text was embedded, so one may be the other
/// after a move.
struct ChunkIdentity: Sendable {
    /// The hash of the content.
    let content: ObjectID
    /// The `document` attribute, as canonical JSON.
    let document: [UInt8]

    /// The identity of a row of a leaf; nil when the row is not a chunk.
    init?(_ leaf: TableLeaf, _ index: Int) {
        self.init(
            attributes: leaf.bytes.span.extracting(leaf.attributeRange(index)),
            vector: leaf.bytes.span.extracting(leaf.vectorRange(index)))
    }

    /// The identity of a row; nil when the row is not a chunk.
    init?(_ row: TableRow) {
        var attributes: [UInt8] = []
        JSON.object(row.attributes).appendCanonical(to: &attributes)
        var vector: [UInt8] = []
        TableBytes.append(row.vector, to: &vector)
        self.init(attributes: attributes.span, vector: vector.span)
    }

    /// The identity of a row with these encoded attributes; nil when it is not a chunk.
    private init?(attributes text: Span<UInt8>, vector: Span<UInt8>) {
        var hasher = ObjectHasher()
        var document: Range<Int>?
        var (hasSection, hasOrdinal, hasText) = (false, false, false)
        var members = CanonicalMembers()
        while members.advance(in: text) {
            if members.isNamed("document", in: text) {
                document = members.value
            } else if members.isNamed("section", in: text) {
                hasSection = true
            } else if members.isNamed("ordinal", in: text) {
                hasOrdinal = true
            } else if members.isNamed("headings", in: text) {
                hasher.update(text.extracting(members.value))
            } else if members.isNamed("text", in: text) {
                hasText = true
                hasher.update(text.extracting(members.value))
            }
        }
        guard let document, hasSection, hasOrdinal, hasText else { return nil }
        hasher.update(vector)
        content = hasher.finalize()
        self.document = document.map { text[$0] }
    }
}

/// A hash of selected attributes of a row, seeded per process. Two rows whose attributes differ rarely share it.
public struct RowFingerprint: Hashable, Sendable {
    private let number: Int

    /// Hashes the attributes of a row in a leaf without decoding them.
    ///
    /// - Parameter members: The names of the attributes to hash.
    public init(of members: [String], in leaf: TableLeaf, at index: Int) {
        let range = leaf.attributeRange(index)
        self.init(of: members, in: leaf.bytes.span.extracting(range))
    }

    /// Hashes attributes.
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
/// Any bytes are safe: text that is not an object yields few members or none.
struct CanonicalMembers {
    /// The bytes between the quotes of the current member's name.
    private(set) var name = 0..<0
    /// The bytes of its value.
    private(set) var value = 0..<0
    private var at = 1

    /// Advances to the next member. Returns false at the end, and at anything that is not a member.
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
        // Skip the comma, or the closing brace.
        at += 1
        return true
    }

    /// Whether the current member has this name.
    func isNamed(_ other: String, in text: Span<UInt8>) -> Bool {
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
