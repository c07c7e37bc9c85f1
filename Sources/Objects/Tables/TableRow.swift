/// One row of a table.
public struct TableRow: Sendable {
    /// The row's identifier: 1 to 1,024 bytes of UTF-8 without control characters. Keys are ordered and compared by
    /// bytes.
    public var key: String
    /// The row's fields.
    public var attributes: JSONObject
    /// Finite numbers, as many as the table's dimension; empty when the dimension is 0.
    public var vector: [Float]

    /// Creates a row. The table checks it when it stores it.
    public init(key: String, attributes: JSONObject, vector: [Float] = []) {
        self.key = key
        self.attributes = attributes
        self.vector = vector
    }
}

extension TableRow: Equatable {
    /// Whether both rows have the same stored bytes.
    public static func == (left: TableRow, right: TableRow) -> Bool {
        left.key.utf8.elementsEqual(right.key.utf8) && left.attributes == right.attributes
            && left.vector.elementsEqual(right.vector) { $0.bitPattern == $1.bitPattern }
    }
}

extension TableRow {
    /// Whether the left key comes before the right key.
    package static func precedes(_ left: String, _ right: String) -> Bool {
        left.utf8.lexicographicallyPrecedes(right.utf8)
    }
}

/// A valid row, as the bytes that a leaf holds.
struct EncodedTableRow: Sendable {
    var key: [UInt8]
    var attributes: [UInt8]
    var vector: [UInt8]

    /// Wraps bytes that are known to be valid.
    init(key: [UInt8], attributes: [UInt8], vector: [UInt8]) {
        self.key = key
        self.attributes = attributes
        self.vector = vector
    }

    /// The decoded row.
    func decoded() throws(ObjectError) -> TableRow {
        let key = String(decoding: key, as: UTF8.self)
        guard let object = try? JSON(canonical: attributes, keepsFloats: true).object else {
            throw Self.invalid(key, "its attributes are not a JSON object")
        }
        var vector: [Float] = []
        TableBytes.appendFloats(self.vector.span, 0..<self.vector.count, to: &vector)
        return TableRow(key: key, attributes: object, vector: vector)
    }

    /// Checks and encodes a row for a table whose vectors have `dimension` numbers.
    init(_ row: TableRow, dimension: Int) throws(ObjectError) {
        key = try Self.checkedKey(row.key)
        guard row.vector.count == dimension else {
            throw Self.invalid(
                row.key,
                "its vector has \(row.vector.count) numbers, the table's have \(dimension)")
        }
        if let reason = Self.problem(.object(row.attributes), depth: 0) {
            throw Self.invalid(row.key, reason)
        }
        attributes = []
        JSON.object(row.attributes).appendCanonical(to: &attributes)
        guard attributes.count <= TableLimits.attributeBytes else {
            throw Self.invalid(
                row.key,
                "its attributes have \(attributes.count) bytes of JSON, more than the "
                    + "\(TableLimits.attributeBytes) that a row may have")
        }
        vector = []
        vector.reserveCapacity(4 * dimension)
        TableBytes.append(row.vector, to: &vector)
        if TableBytes.firstNotFinite(vector.span) != nil {
            throw Self.invalid(row.key, "its vector contains a number that is not finite")
        }
    }

    /// The bytes of a valid key.
    static func checkedKey(_ key: String) throws(ObjectError) -> [UInt8] {
        let bytes = Array(key.utf8)
        if let reason = keyProblem(bytes.span) { throw invalid(key, "the key \(reason)") }
        return bytes
    }

    /// Why valid UTF-8 is not a key, or nil.
    static func keyProblem(_ key: Span<UInt8>) -> String? {
        guard !key.isEmpty else { return "is empty" }
        guard key.count <= TableLimits.keyBytes else {
            return "has \(key.count) bytes, more than \(TableLimits.keyBytes)"
        }
        for index in key.indices {
            // Unicode category Cc: below U+0020, U+007F, and U+0080 to U+009F.
            let isControl =
                key[index] < 0x20 || key[index] == 0x7F
                || key[index] == 0xC2 && index + 1 < key.count && key[index + 1] < 0xA0
            if isControl { return "contains a control character" }
        }
        return nil
    }

    /// Why attributes could not be read back after they are written, or nil.
    private static func problem(_ value: JSON, depth: Int) -> String? {
        guard depth <= JSON.depthLimit else { return "its attributes are nested too deep" }
        switch value {
        case .null, .bool, .string: return nil
        case .number(let number):
            // RFC 8785 writes whole numbers from 2^53 to 10^21 with all digits, and many JSON readers lose some of
            // them.
            let isReadable =
                number.isFinite
                && (number.magnitude <= Double(JSON.largestInteger) || number.magnitude >= 1e21)
            return isReadable ? nil : "a number in its attributes is beyond 2^53 (use a string)"
        case .float(let number):
            return number.isFinite ? nil : "a number in its attributes is not finite"
        case .array(let values):
            for value in values {
                if let reason = problem(value, depth: depth + 1) { return reason }
            }
            return nil
        case .object(let object):
            for member in object {
                if let reason = problem(member.value, depth: depth + 1) { return reason }
            }
            return nil
        }
    }

    private static func invalid(_ key: String, _ reason: String) -> ObjectError {
        // Quoted as JSON, so that control characters never reach a terminal.
        .invalid(
            what: "row \(JSON.string(String(key.prefix(80))).canonicalText)", reason: reason)
    }
}

/// Checks keys that come from stored bytes.
enum TableKeyCheck {
    /// Why the bytes in `range` of `bytes`, which are `key`, are not a key, or nil.
    static func problem(_ key: Span<UInt8>, in bytes: [UInt8], _ range: Range<Int>) -> String? {
        if let reason = EncodedTableRow.keyProblem(key) { return reason }
        for index in key.indices where key[index] >= 0x80 {
            return String(validating: bytes[range], as: UTF8.self) == nil
                ? "is not valid UTF-8" : nil
        }
        return nil
    }
}
