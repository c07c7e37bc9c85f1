public import Conditions
public import Objects

/// A features table opened for retrieval: vectors and words are searchable, and keys and texts are read on demand.
public struct FeatureIndex: Sendable {
    /// The table.
    public let table: Table
    /// The vectors, one for each row of the table.
    public let vectors: VectorSearch
    /// The words of the rows.
    public let words: LexicalIndex
    private let leaves: TableVectors
    private let caches: RowCaches
    /// The declared types of the rows' attributes.
    private let schema: AttributeSchema

    /// Opens a table: reads its inner nodes, the codes of its vectors and its lexical index.
    ///
    /// - Parameters:
    ///   - schema: The declared attributes of the rows.
    ///   - index: The lexical index that the snapshot names; nil where it names none.
    ///   - verified: The record of leaves that were already verified.
    ///   - segments: The cache of lexical segments for rows without an index.
    ///   - earlier: An open version of the table, or of another one. What both have in common is not read again, and
    ///     takes no further memory: mapped leaves, codes, words, and rows that were candidates. The result is the same.
    /// - Throws: `invalid` when the table has no vectors; `corrupt` when a leaf does not match its identity, or codes
    ///   do not match their vectors; `malformed` when the lexical index does not belong to the table; rethrows read
    ///   errors.
    public static func open(
        _ table: Table, schema: AttributeSchema = AttributeSchema(), index: Content? = nil,
        in source: some ObjectSource, verified: VerifiedLeaves,
        segments: SegmentCache = SegmentCache(), threads: Int = Threads.available,
        sharing earlier: FeatureIndex? = nil
    ) throws(ObjectError) -> FeatureIndex {
        guard table.dimension > 0 else {
            throw .invalid(what: "the features", reason: "their rows have no vectors")
        }
        let leaves = try TableVectors(
            table, in: source, verified: verified, threads: threads, sharing: earlier?.leaves)
        let shared = earlier.map { leaves.leaves(sharedWith: $0.leaves) }
        let caches = earlier?.caches ?? RowCaches()
        var (earlierCodes, earlierWords): (CodeTable.Earlier?, LexicalIndex.Earlier?)
        if let earlier, let shared {
            if earlier.table.dimension == table.dimension {
                earlierCodes = CodeTable.Earlier(codes: earlier.vectors.codes, leaves: shared)
            }
            earlierWords = LexicalIndex.Earlier(index: earlier.words, leaves: shared)
        }
        return FeatureIndex(
            table: table,
            vectors: try VectorSearch(
                leaves, cache: caches.vectors, sharing: earlierCodes, threads: threads),
            words: try LexicalIndex.open(
                leaves.leaves, index, in: source, cache: segments, sharing: earlierWords,
                threads: threads),
            leaves: leaves, caches: caches, schema: schema)
    }

    /// The number of rows.
    public var count: Int { table.rows }

    /// The rows at some indices, in the order of `indices`; reads each of their leaves once.
    ///
    /// - Throws: `malformed` when a row is not a features row; rethrows read errors.
    public func rows(
        at indices: [Int], in source: some ObjectSource, threads: Int = Threads.available
    ) throws(ObjectError) -> [FeatureRow] {
        var found: [Int: FeatureRow] = [:]
        for row in indices { found[row] = caches.rows[key(of: row)]?.row }
        let missing = Set(indices).subtracting(found.keys)
        let places = Dictionary(grouping: missing) { leaves.position(of: $0).block }
        let read = try Threads.map(Array(places), threads: threads) {
            (block, rows) throws(ObjectError) in
            let leaf = try leaves.leaf(block, in: source)
            return try rows.map { (row) throws(ObjectError) in
                let place = row - leaves.firstRows[block]
                return (row, try FeatureRow(attributes: try leaf.attributes(at: place)))
            }
        }
        for (row, new) in read.joined() { found[row] = new }
        return indices.compactMap { found[$0] }
    }

    /// The rows at some indices with their words, in the order of `indices`; from the cache where it has them.
    ///
    /// - Throws: `malformed` when a row is not a features row; rethrows read errors.
    func analysed(
        at indices: [Int], in source: some ObjectSource, threads: Int
    ) throws(ObjectError) -> [AnalysedRow] {
        var found: [AnalysedRow] = []
        found.reserveCapacity(indices.count)
        for row in indices {
            guard let known = caches.rows[key(of: row)] else { break }
            found.append(known)
        }
        if found.count == indices.count { return found }
        let missing = indices.filter { caches.rows[key(of: $0)] == nil }
        let read = try analyse(missing, in: source, threads: threads)
        return try indices.map { (row) throws(ObjectError) in
            if let new = read[row] { return new }
            if let known = caches.rows[key(of: row)] { return known }
            // Another thread's rows have replaced this one since the cache was asked.
            let again = try analyse([row], in: source, threads: 1)
            guard let new = again[row] else { preconditionFailure("the row was analysed") }
            return new
        }
    }

    private func key(of row: Int) -> LeafRow {
        let (block, place) = leaves.position(of: row)
        return LeafRow(leaf: leaves.blocks[block].leaf, place: place)
    }

    /// Reads and analyses rows, and adds them to the cache; reads each of their leaves once.
    private func analyse(
        _ rows: [Int], in source: some ObjectSource, threads: Int
    ) throws(ObjectError) -> [Int: AnalysedRow] {
        let places = Dictionary(grouping: Set(rows)) { leaves.position(of: $0).block }
        let read = try Threads.map(Array(places), threads: threads) {
            (block, rows) throws(ObjectError) in
            let leaf = try leaves.leaf(block, in: source)
            return try rows.map { (row) throws(ObjectError) in
                let place = row - leaves.firstRows[block]
                let new = AnalysedRow(try FeatureRow(attributes: try leaf.attributes(at: place)))
                caches.rows.insert(
                    .init(leaf: leaves.blocks[block].leaf, place: place), new,
                    bytes: new.byteCount(stored: leaf.attributeText(at: place).count))
                return (row, new)
            }
        }
        return Dictionary(read.joined(), uniquingKeysWith: { first, _ in first })
    }

    /// Checks the names and values of a condition against the rows' attributes.
    ///
    /// Types come from the schema, from the built-in members, and otherwise from the first rows that have the
    /// attribute. A table without rows accepts any condition.
    ///
    /// - Throws: Read errors.
    public func checked(
        _ condition: Condition, in source: some ObjectSource
    ) throws(ObjectError) -> Result<Condition, ConditionError> {
        guard count > 0 else { return .success(condition) }
        var declared = Self.builtInSchema
        for (name, type) in schema.types { declared[name] = type.fieldType }
        var observed = ObservedSchema(for: condition, declared: declared)
        var cursor = TableCursor(table, in: source)
        while !observed.isComplete, let row = try cursor.next() {
            observed.observe(ConditionRecord(key: row.key, attributes: row.attributes))
        }
        let schema = observed.schema
        return Result { () throws(ConditionError) in try schema.checked(condition) }
    }

    private static let builtInSchema = ConditionSchema([
        "document": .text, "title": .text, "section": .text, "headings": .texts,
        "ordinal": .number, "text": .text, "links": .texts, "languages": .texts, "page": .number,
    ])

    /// The rows for which a checked condition holds; reads every leaf once.
    ///
    /// - Throws: Read errors.
    public func rows(
        where condition: Condition, in source: some ObjectSource, threads: Int = Threads.available
    ) throws(ObjectError) -> RowSet {
        let found = try Threads.map(Array(leaves.blocks.indices), threads: threads) {
            (block) throws(ObjectError) in
            let leaf = try leaves.leaf(block, in: source)
            var set = RowSet()
            for place in 0..<leaf.count {
                let record = ConditionRecord(
                    key: leaf.key(at: place), attributes: try leaf.attributes(at: place))
                if condition.holds(of: record) { set.append(leaves.firstRows[block] + place) }
            }
            return set
        }
        var all = RowSet()
        for set in found { all.append(set) }
        return all
    }
}
