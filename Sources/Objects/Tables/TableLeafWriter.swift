/// Collects the rows of one leaf by columns and encodes them.
struct TableLeafWriter {
    private let dimension: Int
    private var boundary = TableBoundary(level: 0)
    private var keyEnds: [UInt32] = []
    private var attributeEnds: [UInt32] = []
    private var keys: [UInt8] = []
    private var attributes: [UInt8] = []
    private var vectors: [UInt8] = []
    private var predecessor = TablePredecessor()

    /// A leaf that is ready to be stored.
    struct Finished: Sendable {
        let bytes: [UInt8]
        let hint: StorageHint
        let rows: Int
        let lastKey: [UInt8]
        let predecessor: ObjectID?
    }

    init(dimension: Int) { self.dimension = dimension }

    /// The rows so far.
    var count: Int { keyEnds.count }

    private var lastKey: [UInt8] {
        guard count > 0 else { return [] }
        let start = count > 1 ? Int(keyEnds[count - 2]) : 0
        return Array(keys[start...])
    }

    /// Adds a row and says whether the leaf ends with it.
    mutating func append(
        key: Span<UInt8>, attributes row: Span<UInt8>, vector: Span<UInt8>, from origin: ObjectID?
    ) -> Bool {
        LittleEndian.append(key, to: &keys)
        LittleEndian.append(row, to: &attributes)
        LittleEndian.append(vector, to: &vectors)
        keyEnds.append(UInt32(keys.count))
        attributeEnds.append(UInt32(attributes.count))
        let weight = 8 + key.count + row.count + vector.count
        predecessor.count(origin, weight: weight)
        return boundary.cuts(after: key, weight: weight)
    }

    /// Encodes the leaf and begins the next.
    mutating func take() -> Finished {
        let textBytes = TableLeaf.headerBytes + 8 * count + keys.count + attributes.count
        let vectorOffset = TableLeaf.aligned(textBytes)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(vectorOffset + vectors.count)
        TableLeaf.appendHeader(
            rows: count, dimension: dimension, keyBytes: keys.count,
            attributeBytes: attributes.count, to: &bytes)
        TableBytes.append(keyEnds, to: &bytes)
        TableBytes.append(attributeEnds, to: &bytes)
        bytes.append(contentsOf: keys)
        bytes.append(contentsOf: attributes)
        bytes.append(contentsOf: repeatElement(0, count: vectorOffset - textBytes))
        bytes.append(contentsOf: vectors)
        let finished = Finished(
            bytes: bytes,
            hint: TableLeaf.hint(vectorOffset: vectorOffset, dimension: dimension),
            rows: count, lastKey: lastKey, predecessor: predecessor.id)
        boundary = TableBoundary(level: 0)
        predecessor = TablePredecessor()
        keyEnds.removeAll(keepingCapacity: true)
        attributeEnds.removeAll(keepingCapacity: true)
        keys.removeAll(keepingCapacity: true)
        attributes.removeAll(keepingCapacity: true)
        vectors.removeAll(keepingCapacity: true)
        return finished
    }
}

extension TableLeaf {
    /// Appends what a leaf begins with.
    static func appendHeader(
        rows: Int, dimension: Int, keyBytes: Int, attributeBytes: Int, to bytes: inout [UInt8]
    ) {
        bytes.append(contentsOf: magic)
        for number in [rows, dimension, keyBytes, attributeBytes] {
            LittleEndian.append(UInt32(number), to: &bytes)
        }
    }
}
