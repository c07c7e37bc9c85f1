public import Objects
internal import Storage
internal import TextAnalysis

/// The stored lexical index of a table: a tree with one segment for each leaf.
///
/// The file `analysis` defines how text becomes terms; `segments/AB/REST` is the segment of the leaf with identity
/// `ABREST`. The whole tree derives from the table, so anyone who has the table can rebuild it and compare: see
/// ``LexicalAudit``.
public struct LexicalTree: Sendable {
    private static let analysisName = "analysis"
    private static let segmentsName = "segments"

    /// The segments by leaf identity.
    let segments: [ObjectID: ObjectID]

    /// The digest of this program's text analysis.
    public static let analysis = digest(of: TextAnalyzer.definition)

    private static func digest(of bytes: [UInt8]) -> ObjectID { ObjectID(of: bytes.span) }

    /// Opens the index of a snapshot; nil where a different text analysis built it, because the words of a question
    /// would not match the index's terms.
    ///
    /// - Throws: `malformed` when the content is not a lexical index; rethrows read errors.
    public init?(_ content: Content, in source: some ObjectSource) throws(ObjectError) {
        let reader = TreeReader(source)
        let root = try reader.tree(content.id)
        guard case .tree = content, let analysis = Self.entry(Self.analysisName, of: root),
            let segments = Self.entry(Self.segmentsName, of: root), segments.mode == .directory
        else {
            throw .malformed(
                content.id, as: "lexical index", reason: "it is not a tree of segments", offset: nil
            )
        }
        guard analysis.id == Self.analysis else { return nil }
        var found: [ObjectID: ObjectID] = [:]
        for directory in try reader.tree(of: segments).entries {
            for entry in try reader.tree(of: directory).entries {
                guard let leaf = ObjectID(hex: "\(directory.name)\(entry.name)") else {
                    throw .malformed(
                        directory.id, as: "lexical index",
                        reason: "\(directory.name)/\(entry.name) is not named after a leaf",
                        offset: nil)
                }
                found[leaf] = entry.id
            }
        }
        self.segments = found
    }

    private static func entry(_ name: String, of tree: Tree) -> TreeEntry? {
        (try? FileName(name)).flatMap { tree[$0] }
    }
}

extension LexicalTree {
    /// An earlier table with an index; the new table is an edit of it.
    public struct Predecessor: Sendable {
        let table: Table
        let index: Content

        /// Pairs a table with its index.
        public init(table: Table, index: Content) {
            self.table = table
            self.index = index
        }
    }

    /// Builds and stores the index of a table; analyses only the rows that differ from the predecessor's.
    ///
    /// - Parameter predecessor: An earlier table with its index, both in `objects`. Leaves in both tables share their
    ///   segments. A predecessor with a different text analysis is ignored.
    /// - Returns: The tree, which does not depend on the predecessor or on the number of threads.
    /// - Throws: Errors of reading leaves and writing objects.
    public static func write(
        _ table: Table, succeeding predecessor: Predecessor? = nil, in objects: some ObjectStore,
        threads: Int = Threads.available
    ) throws(ObjectError) -> Content {
        if let predecessor, predecessor.table == table,
            try isCurrent(predecessor.index, in: objects)
        {
            return predecessor.index
        }
        let earlier = try predecessor.flatMap { (predecessor) throws(ObjectError) in
            try EarlierSegments(predecessor, in: objects, threads: threads)
        }
        let leaves = try table.leaves(in: objects, threads: threads)
        let written = try Threads.map(leaves, threads: threads) {
            (leaf) throws(ObjectError) -> (leaf: ObjectID, id: ObjectID, size: Int) in
            if let id = earlier?.tree.segments[leaf.id], let size = try objects.size(of: id) {
                return (leaf.id, id, size)
            }
            let content = try leaf.read(in: objects)
            var builder = SegmentBuilder()
            var reading = earlier.map { EarlierRows($0, of: content, in: objects) }
            let segment = try builder.segment(of: content) { (row) throws(ObjectError) in
                try reading?.row(row)
            }
            let bytes = segment.encoded
            let id = try objects.write(bytes, hint: .bulk, predecessor: reading?.segment)
            return (leaf.id, id, bytes.count)
        }
        var builder = TreeBuilder()
        let definition = TextAnalyzer.definition
        builder.add(
            try path([analysisName]), size: definition.count,
            id: try objects.write(definition, hint: .bulk))
        builder.addDirectory(try path([segmentsName]))
        for (leaf, id, size) in written {
            let hex = leaf.hex
            builder.add(
                try path([segmentsName, String(hex.prefix(2)), String(hex.dropFirst(2))]),
                size: size, id: id)
        }
        let tree = try builder.write(
            into: objects, succeeding: predecessor.map { ($0.index.id, objects) })
        return tree.content
    }

    /// Whether this program's text analysis built an index.
    private static func isCurrent(
        _ index: Content, in source: some ObjectSource
    ) throws(ObjectError) -> Bool {
        entry(analysisName, of: try TreeReader(source).tree(index.id))?.id == analysis
    }

    private static func path(_ names: [String]) throws(ObjectError) -> RelativePath {
        do { return try RelativePath(names.joined(separator: "/")) } catch {
            throw .invalid(what: "a lexical index", reason: "it has no such file")
        }
    }
}

/// The leaves and segments of a predecessor, searchable by key.
private struct EarlierSegments: Sendable {
    let tree: LexicalTree
    let leaves: [LeafReference]

    /// Nil where a different text analysis built the index.
    init?(
        _ predecessor: LexicalTree.Predecessor, in source: some ObjectSource, threads: Int
    ) throws(ObjectError) {
        guard let tree = try LexicalTree(predecessor.index, in: source) else { return nil }
        self.tree = tree
        leaves = try predecessor.table.leaves(in: source, threads: threads)
    }

    /// The leaf that holds a key, if any leaf does.
    func leaf(of key: [UInt8]) -> LeafReference? {
        let index = leaves.binarySearch { $0.lastKey?.lexicographicallyPrecedes(key) ?? false }
        return index < leaves.count ? leaves[index] : nil
    }
}

/// Finds the entries of one leaf's unchanged rows in the segments of a predecessor.
private struct EarlierRows<Source: ObjectSource> {
    private let earlier: EarlierSegments
    private let leaf: TableLeaf
    private let source: Source
    private var open: (leaf: TableLeaf, id: ObjectID, segment: LexicalSegment)?
    /// The segment of the first earlier leaf consulted.
    private(set) var segment: ObjectID?

    init(_ earlier: EarlierSegments, of leaf: TableLeaf, in source: Source) {
        self.earlier = earlier
        self.leaf = leaf
        self.source = source
    }

    mutating func row(
        _ index: Int
    ) throws(ObjectError) -> (
        row: LexicalSegment.Row, postings: ArraySlice<LexicalSegment.Posting>
    )? {
        let key = leaf.key(at: index)
        guard let reference = earlier.leaf(of: Array(key.utf8)),
            let id = earlier.tree.segments[reference.id]
        else { return nil }
        segment = segment ?? id
        if open?.id != reference.id {
            let old = try reference.read(in: source)
            let bytes = try source.read(id, limit: LexicalSegment.byteLimit)
            open = (old, reference.id, try LexicalSegment(decoding: bytes, id: id))
        }
        guard let open, open.segment.rows.count == open.leaf.count,
            let place = open.leaf.index(of: key),
            open.leaf.attributeText(at: place) == leaf.attributeText(at: index)
        else { return nil }
        return (open.segment.rows[place], open.segment.postings(of: place))
    }
}

/// Compares lexical indexes with the rows that they derive from.
///
/// Not thread-safe. Remembers the segments that it has rebuilt.
public struct LexicalAudit: Sendable {
    private var rebuilt: [ObjectID: ObjectID] = [:]
    private let threads: Int

    /// Makes an audit with an empty memory.
    public init(threads: Int = Threads.available) { self.threads = threads }

    /// Describes a fault of a snapshot's lexical index, as a sentence about the snapshot.
    ///
    /// Returns nil when the index matches the rows, when there is no index, and when a different text analysis built
    /// the index, which makes a comparison impossible.
    ///
    /// - Throws: Read errors.
    public mutating func problem(
        of snapshot: Snapshot, in source: some ObjectSource
    ) throws(ObjectError) -> String? {
        guard let index = snapshot.index else { return nil }
        guard let table = snapshot.content.table else {
            return "it has a lexical index but no rows"
        }
        guard let tree = try LexicalTree(index, in: source) else { return nil }
        let leaves =
            try table
            .leaves(in: source, threads: threads)
        guard Set(leaves.map(\.id)) == Set(tree.segments.keys) else {
            return "its lexical index belongs to other rows"
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
            "its lexical index does not match the rows of leaf \($0.id.short)"
        }
    }
}
