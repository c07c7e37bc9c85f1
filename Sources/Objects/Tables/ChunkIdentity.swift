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
