/// What a row that is a chunk of a document says, apart from where it stands.
///
/// A row is a chunk when it has the attributes `document`, `section`, `ordinal` and `text`. Two chunks say the same when
/// `headings`, `text` and the vector are the same: then they were embedded alike, and one may be the other after it moved.
struct ChunkIdentity: Sendable {
    /// The hash of what it says.
    let content: ObjectID
    /// The document that it is of, as its attribute is written.
    let document: [UInt8]

    /// The identity of a row of a leaf; nil when the row is no chunk.
    init?(_ leaf: TableLeaf, _ index: Int) {
        self.init(
            attributes: leaf.bytes.span.extracting(leaf.attributeRange(index)),
            vector: leaf.bytes.span.extracting(leaf.vectorRange(index)))
    }

    /// The identity of a row; nil when it is no chunk.
    init?(_ row: TableRow) {
        var attributes: [UInt8] = []
        JSON.object(row.attributes).appendCanonical(to: &attributes)
        var vector: [UInt8] = []
        TableBytes.append(row.vector, to: &vector)
        self.init(attributes: attributes.span, vector: vector.span)
    }

    /// The identity of a row that is written so; nil when it is no chunk.
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

/// A number that two rows have in common when some of their attributes are the same; others have it by rare accident.
///
/// It is another number in another process.
public struct RowFingerprint: Hashable, Sendable {
    private let number: Int

    /// The fingerprint of a row of a leaf, which is not decoded.
    ///
    /// - Parameter members: The names of the attributes that count.
    public init(of members: [String], in leaf: TableLeaf, at index: Int) {
        let range = leaf.attributeRange(index)
        self.init(of: members, in: leaf.bytes.span.extracting(range))
    }

    /// The fingerprint of a row with these attributes.
    ///
    /// - Parameter members: The names of the attributes that count.
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
