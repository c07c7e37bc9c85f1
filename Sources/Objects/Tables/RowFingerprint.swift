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
