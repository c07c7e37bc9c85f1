/// A decoded leaf of a table: rows in key order, stored by columns.
///
/// Encoded, little-endian: `ftileaf1` / rows u32 / dimension u32 / key bytes u32 / attribute bytes u32 / key end
/// offsets u32[rows] / attribute end offsets u32[rows] / keys / attributes (canonical JSON) / zeros up to a multiple
/// of 64 / vectors fp32[rows, dimension].
public struct TableLeaf: Sendable {
    package static let magic = Array("ftileaf1".utf8)
    static let headerBytes = 24
    private static let kind = "table leaf"

    /// The number of rows.
    public let count: Int
    /// The length of every row's vector.
    public let dimension: Int
    /// Whether the boundary rule ends the leaf after its last row, so that another leaf may follow.
    package private(set) var endsAtBoundary = false
    package let bytes: [UInt8]
    private let id: ObjectID?
    private let keysAt: Int
    private let attributesAt: Int
    private let vectorsAt: Int

    /// Decodes a leaf. Refuses every encoding but the canonical one.
    ///
    /// - Throws: `malformed` with `id`.
    public init(decoding bytes: [UInt8], id: ObjectID? = nil) throws(ObjectError) {
        try self.init(bytes, id: id)
        for index in 0..<count { _ = try attributes(at: index) }
    }

    /// Decodes a leaf without checking the attributes of its rows. Reading the attributes checks them; most callers
    /// only copy or compare their bytes.
    package init(_ bytes: [UInt8], id: ObjectID?) throws(ObjectError) {
        func malformed(_ reason: String, _ offset: Int) -> ObjectError {
            .malformed(id, as: Self.kind, reason: reason, offset: offset)
        }
        let span = bytes.span
        guard bytes.count >= Self.headerBytes, bytes.starts(with: Self.magic) else {
            throw malformed("the header is not ftileaf1 and four counts", 0)
        }
        count = TableBytes.count(span, at: 8)
        dimension = TableBytes.count(span, at: 12)
        let keyBytes = TableBytes.count(span, at: 16)
        let attributeBytes = TableBytes.count(span, at: 20)
        guard dimension <= TableLimits.dimension else {
            throw malformed("its vectors have \(dimension) numbers, too many for a table", 12)
        }
        // Even the largest counts stay below 2^52, so nothing overflows.
        keysAt = Self.headerBytes + 8 * count
        attributesAt = keysAt + keyBytes
        vectorsAt = Self.aligned(attributesAt + attributeBytes)
        guard vectorsAt + 4 * dimension * count == bytes.count else {
            throw malformed("its counts do not match its \(bytes.count) bytes", 8)
        }
        self.bytes = bytes
        self.id = id
        if let (reason, offset) = problem(keyBytes: keyBytes, attributeBytes: attributeBytes) {
            throw malformed(reason, offset)
        }
        var boundary = TableBoundary(level: 0)
        for index in 0..<count {
            if endsAtBoundary {
                throw malformed(
                    "the boundary rule ends it after an earlier row", keyRange(index).lowerBound)
            }
            endsAtBoundary = boundary.cuts(
                after: span.extracting(keyRange(index)), weight: weight(index))
        }
    }

    static func aligned(_ offset: Int) -> Int { (offset + 63) & ~63 }

    /// How to store a leaf.
    static func hint(vectorOffset: Int, dimension: Int) -> StorageHint {
        dimension == 0 ? .bulk : .leaf(vectorOffset: vectorOffset, dimension: dimension)
    }

    /// How to store this leaf.
    package var hint: StorageHint { Self.hint(vectorOffset: vectorsAt, dimension: dimension) }

    /// The range of a key in ``bytes``.
    package func keyRange(_ index: Int) -> Range<Int> {
        let ends = Self.headerBytes
        let start = index == 0 ? 0 : TableBytes.count(bytes.span, at: ends + 4 * (index - 1))
        return keysAt + start..<keysAt + TableBytes.count(bytes.span, at: ends + 4 * index)
    }

    package func attributeRange(_ index: Int) -> Range<Int> {
        let ends = Self.headerBytes + 4 * count
        let start = index == 0 ? 0 : TableBytes.count(bytes.span, at: ends + 4 * (index - 1))
        return attributesAt + start..<attributesAt
            + TableBytes.count(bytes.span, at: ends + 4 * index)
    }

    package func vectorRange(_ index: Int) -> Range<Int> {
        let start = vectorsAt + 4 * dimension * index
        return start..<start + 4 * dimension
    }

    /// The index of the first row whose key is not below `key`.
    func firstIndex(notBelow key: Span<UInt8>) -> Int {
        (0..<count).binarySearch {
            TableBytes.compare(bytes.span.extracting(keyRange($0)), key) < 0
        }
    }
}

extension TableLeaf {
    /// The key of a row.
    public func key(at index: Int) -> String {
        String(decoding: bytes[keyRange(index)], as: UTF8.self)
    }

    /// The index of the row with a key; nil when there is none.
    public func index(of key: String) -> Int? {
        let key = Array(key.utf8)
        let index = firstIndex(notBelow: key.span)
        return index < count && bytes[keyRange(index)] == key[...] ? index : nil
    }

    /// The keys of all rows.
    public var keys: [String] { (0..<count).map { key(at: $0) } }

    /// A row's attributes as stored: canonical JSON.
    public func attributeText(at index: Int) -> [UInt8] { Array(bytes[attributeRange(index)]) }

    /// A row's attributes.
    ///
    /// - Throws: `malformed` when they are not a canonical JSON object.
    public func attributes(at index: Int) throws(ObjectError) -> JSONObject {
        let range = attributeRange(index)
        do throws(JSONError) {
            let json = try JSON(canonical: Array(bytes[range]), keepsFloats: true)
            guard let object = json.object else {
                throw JSONError(reason: "a row's attributes are not an object", offset: 0)
            }
            return object
        } catch {
            throw .malformed(
                id, as: Self.kind, reason: error.reason, offset: range.lowerBound + error.offset)
        }
    }

    /// A row's vector.
    public func vector(at index: Int) -> [Float] {
        var vector: [Float] = []
        vector.reserveCapacity(dimension)
        TableBytes.appendFloats(bytes.span, vectorRange(index), to: &vector)
        return vector
    }

    /// All vectors, [count, dimension], row-major.
    public var vectors: [Float] {
        var vectors: [Float] = []
        appendVectors(to: &vectors)
        return vectors
    }

    /// Appends all vectors, [count, dimension], row-major, to a matrix with one copy.
    public func appendVectors(to matrix: inout [Float]) {
        TableBytes.appendFloats(bytes.span, vectorsAt..<bytes.count, to: &matrix)
    }

    /// A whole row.
    ///
    /// - Throws: `malformed` when its attributes are not a canonical JSON object.
    public func row(at index: Int) throws(ObjectError) -> TableRow {
        TableRow(
            key: key(at: index), attributes: try attributes(at: index), vector: vector(at: index))
    }
}

extension TableLeaf {
    /// Encodes rows as a leaf; also returns how to store it.
    static func encode(
        _ rows: RowOrder, _ range: Range<Int>, dimension: Int
    ) -> (bytes: [UInt8], hint: StorageHint) {
        var keyBytes = 0
        var attributeBytes = 0
        for index in range {
            let row = rows.row(index)
            keyBytes += row.keyCount
            attributeBytes += row.attributeCount
        }
        let vectorOffset = aligned(headerBytes + 8 * range.count + keyBytes + attributeBytes)
        var bytes = magic
        bytes.reserveCapacity(vectorOffset + 4 * dimension * range.count)
        for number in [range.count, dimension, keyBytes, attributeBytes] {
            LittleEndian.append(UInt32(number), to: &bytes)
        }
        func appendEnds(_ count: (RowBlock.Row) -> Int) {
            var end = 0
            for index in range {
                end += count(rows.row(index))
                LittleEndian.append(UInt32(end), to: &bytes)
            }
        }
        appendEnds(\.keyCount)
        appendEnds(\.attributeCount)
        func append(_ part: (RowBlock.Row) -> Range<Int>) {
            for place in rows.places[range] {
                let block = rows.blocks[Int(place.block)]
                LittleEndian.append(
                    block.bytes.span.extracting(part(block.rows[Int(place.row)])), to: &bytes)
            }
        }
        append(\.key)
        append(\.attributes)
        bytes.append(contentsOf: repeatElement(0, count: vectorOffset - bytes.count))
        append(\.vector)
        return (bytes, hint(vectorOffset: vectorOffset, dimension: dimension))
    }
}

extension TableLeaf {
    /// What is wrong with the columns, and at which offset; nil when nothing is. The caller has checked their sizes.
    private func problem(keyBytes: Int, attributeBytes: Int) -> (String, Int)? {
        let span = bytes.span
        if let offset = badEnd(0, total: keyBytes, lengths: 1...TableLimits.keyBytes) {
            return ("the end offset of a key is out of range", offset)
        }
        if let offset = badEnd(
            count, total: attributeBytes, lengths: 2...TableLimits.attributeBytes)
        {
            return ("the end offset of a row's attributes is out of range", offset)
        }
        for index in 0..<count {
            let range = keyRange(index)
            let key = span.extracting(range)
            if let reason = TableKeyCheck.problem(key, in: bytes, range) {
                return ("a key \(reason)", range.lowerBound)
            }
            if index > 0,
                TableBytes.compare(span.extracting(keyRange(index - 1)), key) >= 0
            {
                return ("its keys do not ascend", range.lowerBound)
            }
        }
        for offset in attributesAt + attributeBytes..<vectorsAt where bytes[offset] != 0 {
            return ("a padding byte is not zero", offset)
        }
        if let offset = TableBytes.firstNotFinite(span.extracting(vectorsAt..<bytes.count)) {
            return ("a vector contains a number that is not finite", vectorsAt + offset)
        }
        return nil
    }

    private func badEnd(_ column: Int, total: Int, lengths: ClosedRange<Int>) -> Int? {
        var end = 0
        for index in 0..<count {
            let offset = Self.headerBytes + 4 * (column + index)
            let next = TableBytes.count(bytes.span, at: offset)
            guard lengths.contains(next - end), next <= total else { return offset }
            end = next
        }
        return end == total ? nil : Self.headerBytes + 4 * column
    }

    /// The bytes that a row adds to the leaf: two offsets, key, attributes, vector.
    func weight(_ index: Int) -> Int {
        8 + keyRange(index).count + attributeRange(index).count + 4 * dimension
    }
}
