public import Objects
internal import Storage
internal import TextAnalysis

/// The lexical index of a table as a snapshot holds it: a tree with the segment of each leaf.
///
/// `analysis` says how text becomes terms; `segments/AB/REST` is the segment of the leaf whose identity is `ABREST`. All
/// of it is derived from the table, so whoever has the table can make it again and compare: see ``LexicalAudit``.
public struct LexicalTree: Sendable {
    private static let analysisName = "analysis"
    private static let segmentsName = "segments"

    /// The segments, by the identity of their leaves.
    let segments: [ObjectID: ObjectID]

    /// How text becomes terms in this program: its digest.
    public static let analysis = digest(of: TextAnalyzer.definition)

    private static func digest(of bytes: [UInt8]) -> ObjectID { ObjectID(of: bytes.span) }

    /// Opens the index of a snapshot; nil where text became terms in another way than here, so that words that are asked
    /// for would not be found.
    ///
    /// - Throws: `malformed` when it is not such a tree; what reading an object throws.
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
    /// A table whose index is known, of which another table is a change.
    public struct Predecessor: Sendable {
        let table: Table
        let index: Content

        /// Names a table and its index.
        public init(table: Table, index: Content) {
            self.table = table
            self.index = index
        }
    }

    /// Makes the index of a table and stores it; work follows what differs from the predecessor.
    ///
    /// - Parameter predecessor: An earlier table with its index, in `objects`; the segments of leaves that both have are
    ///   shared, and in other leaves only new rows are analysed. Where its index was made in another way it is of no use.
    /// - Returns: The tree; the same for any predecessor and any number of threads.
    /// - Throws: What reading leaves and writing objects throws.
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

    /// Whether an index was made as this program makes it.
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

/// What a predecessor's leaves and segments are, by key.
private struct EarlierSegments: Sendable {
    let tree: LexicalTree
    let leaves: [LeafReference]

    /// Nil where its index was made in another way.
    init?(
        _ predecessor: LexicalTree.Predecessor, in source: some ObjectSource, threads: Int
    ) throws(ObjectError) {
        guard let tree = try LexicalTree(predecessor.index, in: source) else { return nil }
        self.tree = tree
        leaves = try predecessor.table.leaves(in: source, threads: threads)
    }

    /// The leaf that has a key if any has.
    func leaf(of key: [UInt8]) -> LeafReference? {
        var low = 0
        var high = leaves.count
        while low < high {
            let middle = (low + high) / 2
            if leaves[middle].lastKey?.lexicographicallyPrecedes(key) ?? false {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low < leaves.count ? leaves[low] : nil
    }
}

/// Finds what the rows of one leaf had in the segments of a predecessor, where they are the same rows.
private struct EarlierRows<Source: ObjectSource> {
    private let earlier: EarlierSegments
    private let leaf: TableLeaf
    private let source: Source
    private var open: (leaf: TableLeaf, id: ObjectID, segment: LexicalSegment)?
    /// The segment of the leaf that the first row was looked for in.
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
