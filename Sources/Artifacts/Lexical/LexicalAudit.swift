public import Objects

/// Compares lexical indexes with the rows that they are derived from.
///
/// Not for two threads at once; what it found of a leaf it remembers.
public struct LexicalAudit: Sendable {
    private var rebuilt: [ObjectID: ObjectID] = [:]
    private let threads: Int

    /// Makes an audit that has seen nothing yet.
    public init(threads: Int = Threads.available) { self.threads = threads }

    /// What is wrong with the lexical index of a snapshot; nil when it is what its rows say, when there is none, and when it was made
    /// in another way than this program's, which cannot be compared.
    ///
    /// - Throws: What reading objects throws.
    public mutating func problem(
        of snapshot: Snapshot, in source: some ObjectSource
    ) throws(ObjectError) -> String? {
        guard let index = snapshot.index else { return nil }
        guard case .table(let root, let rows, let dimension) = snapshot.content else {
            return "it has a lexical index and no rows"
        }
        guard let tree = try LexicalTree(index, in: source) else { return nil }
        let leaves = try Table(root: root, rows: rows, dimension: dimension)
            .leaves(in: source, threads: threads)
        guard Set(leaves.map(\.id)) == Set(tree.segments.keys) else {
            return "its lexical index is of other rows"
        }
        let new = leaves.filter { rebuilt[$0.id] == nil }
        let made = try Threads.map(new, threads: threads) {
            (leaf) throws(ObjectError) -> (leaf: ObjectID, segment: ObjectID) in
            var builder = SegmentBuilder()
            let segment = try builder.segment(of: try leaf.read(in: source))
            return (leaf.id, ObjectID(of: segment.encoded.span))
        }
        for (leaf, segment) in made { rebuilt[leaf] = segment }
        let wrong = leaves.first { rebuilt[$0.id] != tree.segments[$0.id] }
        return wrong.map {
            "its lexical index does not say what the rows of leaf \($0.id.short) do"
        }
    }
}
