public import Objects

/// A features table, opened for retrieval: its vectors and its words ready to be searched, keys and texts read when they are
/// needed.
public struct FeatureIndex: Sendable {
    /// The table.
    public let table: Table
    /// The vectors, one row per row of the table.
    public let vectors: VectorSearch
    /// The words of the rows.
    public let words: LexicalIndex
    private let leaves: TableVectors
    /// The types of the attributes that the rows are declared to have.
    private let schema: AttributeSchema

    /// Reads the inner nodes of a table and the codes of its vectors.
    ///
    /// - Parameters:
    ///   - schema: The attributes that the rows are declared to have.
    ///   - index: The lexical index that the rows' snapshot names; nil where it names none.
    ///   - verified: What verified leaves are.
    ///   - segments: Where words are found, and kept, of rows that have no index.
    /// - Throws: `invalid` when the table has no vectors; what reading nodes throws; `corrupt` when a leaf is not what its
    ///   identity says, or codes are not those of their vectors.
    public init(
        _ table: Table, schema: AttributeSchema = AttributeSchema(), index: Content? = nil,
        in source: some ObjectSource, verified: VerifiedLeaves,
        segments: SegmentCache = SegmentCache(), threads: Int = Threads.available
    ) throws(ObjectError) {
        guard table.dimension > 0 else {
            throw .invalid(what: "the features", reason: "their rows have no vectors")
        }
        self.table = table
        self.schema = schema
        leaves = try TableVectors(table, in: source, verified: verified, threads: threads)
        vectors = try VectorSearch(leaves, threads: threads)
        words = try LexicalIndex(of: table, index, in: source, cache: segments, threads: threads)
    }

    /// The number of rows.
    public var count: Int { table.rows }

    /// The attributes of some rows, in the order of `indices`; reads the leaves that they are in, once each.
    ///
    /// - Throws: `malformed` when a row is no features row; what reading nodes throws.
    public func rows(
        at indices: [Int], in source: some ObjectSource, threads: Int = Threads.available
    ) throws(ObjectError) -> [FeatureRow] {
        let places = Dictionary(grouping: Set(indices)) { leaves.position(of: $0).block }
        let read = try Threads.map(Array(places), threads: threads) {
            (block, rows) throws(ObjectError) in
            let leaf = try leaves.leaf(block, in: source)
            return try rows.map { (row) throws(ObjectError) in
                let place = row - leaves.firstRows[block]
                return (row, try FeatureRow(attributes: try leaf.attributes(at: place)))
            }
        }
        let found = Dictionary(read.joined(), uniquingKeysWith: { first, _ in first })
        return indices.compactMap { found[$0] }
    }

    /// A condition whose names and values fit the rows: by their schema, by what every features row has and, of other
    /// names, by the first rows that have them. A table without rows takes any.
    ///
    /// - Throws: What reading nodes throws.
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

    /// The rows of which a checked condition holds; reads every leaf once.
    ///
    /// - Throws: What reading nodes throws.
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
