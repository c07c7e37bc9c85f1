/// Parses a line into a row: its key, its vector and its attributes.
///
/// This parser accepts every spelling and explains every error. ``PlainRowParser`` is the fast path for most lines.
struct JSONLinesRowParser: Sendable {
    private let keyFields: [String]
    private let vectorField: [UInt8]?
    private let vectorName: String

    /// The maximum number of values in a row, besides its vector. No row in use has a hundredth of this.
    private static let valueLimit = 1 << 18

    init(keyFields: [String], vectorField: String?) throws(ObjectError) {
        guard !keyFields.isEmpty, keyFields.allSatisfy({ !$0.isEmpty }) else {
            throw .invalid(what: "key fields", reason: "name at least one member, such as id")
        }
        let vectorBytes = vectorField.map { Array($0.utf8) }
        guard !keyFields.contains(where: { Array($0.utf8) == vectorBytes }) else {
            throw .invalid(
                what: "key fields", reason: "a vector cannot be part of the key; name another")
        }
        self.keyFields = keyFields
        self.vectorField = vectorBytes
        vectorName = vectorField ?? ""
    }

    /// Parses a line; nil for a blank one. If `dimension` is known, the vector must have that many numbers.
    func row(
        _ line: Span<UInt8>, expecting dimension: Int? = nil
    ) throws(JSONError) -> TableRow? {
        var parser = JSONParser()
        parser.valuesLeft = Self.valueLimit
        parser.keepsFloats = true
        parser.skipSpace(line)
        guard parser.offset < line.count else { return nil }
        guard line[parser.offset] == 0x7B else {
            throw parser.error(
                line[parser.offset] == 0xEF
                    ? "a byte order mark or other text precedes the JSON object"
                    : "a row must be a JSON object")
        }
        var members: [JSONObject.Member] = []
        var vector: [Float]?
        let vectorField = vectorField
        try parser.list(line, close: 0x7D) { (parser) throws(JSONError) in
            let key = try parser.key(line)
            if let vectorField, key.utf8.elementsEqual(vectorField) {
                guard vector == nil else { throw parser.error("the vector is repeated") }
                vector = try Self.vector(line, &parser, expecting: dimension)
            } else {
                members.append(.init(key: key, value: try parser.value(line, depth: 1)))
            }
        }
        parser.skipSpace(line)
        guard parser.offset == line.count else {
            throw parser.error("unexpected text after the object")
        }
        guard let attributes = JSONObject(unsorted: members) else {
            throw JSONError(reason: "a key is repeated in one object", offset: 0)
        }
        let key = try key(of: attributes)
        try check(vector, expecting: dimension)
        return TableRow(key: key, attributes: attributes, vector: vector ?? [])
    }

    /// Reads numbers without making a JSON value of each: lines have hundreds of them.
    private static func vector(
        _ line: Span<UInt8>, _ parser: inout JSONParser, expecting dimension: Int?
    ) throws(JSONError) -> [Float] {
        guard parser.offset < line.count, line[parser.offset] == 0x5B else {
            throw parser.error("the vector must be a list of numbers")
        }
        var vector: [Float] = []
        vector.reserveCapacity(dimension ?? 0)
        try parser.list(line, close: 0x5D) { (parser) throws(JSONError) in
            guard parser.offset < line.count,
                line[parser.offset] == 0x2D || (0x30...0x39).contains(line[parser.offset])
            else { throw parser.error("the vector must be a list of numbers") }
            let start = parser.offset
            _ = try parser.number(line, isExact: false)
            // Parse the digits as a Float: going through a double would round twice.
            var digits: [UInt8] = []
            LittleEndian.append(line.extracting(start..<parser.offset), to: &digits)
            guard let number = Float(String(decoding: digits, as: UTF8.self)), number.isFinite
            else {
                throw JSONError(reason: "a number of the vector is beyond fp32", offset: start)
            }
            vector.append(number)
        }
        return vector
    }

    private func check(_ vector: [Float]?, expecting dimension: Int?) throws(JSONError) {
        func error(_ reason: String) -> JSONError {
            JSONError(reason: "the vector \(quoted(vectorName)) \(reason)", offset: 0)
        }
        if vectorField != nil {
            guard let vector else { throw error("is missing") }
            guard !vector.isEmpty else { throw error("has no numbers") }
            guard vector.count <= TableLimits.dimension else {
                throw error("has \(vector.count) numbers, more than \(TableLimits.dimension)")
            }
        }
        let count = vector?.count ?? 0
        if let dimension, count != dimension {
            throw JSONError(
                reason: Self.mismatch(vectorName, count, after: dimension), offset: 0)
        }
    }

    /// Explains that a vector's dimension differs from that of the earlier rows.
    static func mismatch(_ name: String, _ count: Int, after before: Int) -> String {
        "the vector \(JSON.string(name).canonicalText) has \(count) numbers, but earlier rows have "
            + "\(before)"
    }

    private func key(of attributes: JSONObject) throws(JSONError) -> String {
        var parts: [String] = []
        for field in keyFields {
            func error(_ reason: String) -> JSONError {
                JSONError(reason: "the key field \(quoted(field)) \(reason)", offset: 0)
            }
            switch attributes[field] {
            case nil: throw error("is missing")
            case .string(let text):
                guard !text.isEmpty else { throw error("is empty") }
                parts.append(RowKey.part(text, isComposite: keyFields.count > 1))
            case .number(let number), .float(let number):
                guard let whole = JSON.number(number).integer else {
                    throw error("is not a whole number")
                }
                parts.append(String(whole))
            default: throw error("is neither a string nor a whole number")
            }
        }
        let key = parts.joined(separator: RowKey.separator)
        if let reason = EncodedTableRow.keyProblem(key.utf8.span) {
            throw JSONError(reason: "the key \(reason)", offset: 0)
        }
        return key
    }

    private func quoted(_ text: String) -> String { JSON.string(text).canonicalText }
}

/// Builds the key of a row from the values of its key fields, so that different values give different keys.
///
/// A whole number contributes its digits, and a text contributes itself, with two exceptions. A text that could be
/// read as a whole number, or as such a text in quotes, is put in double quotes. Where several values are joined, `#`
/// and `\` in a text get a `\` before them.
public enum RowKey {
    /// The separator between values.
    static let separator = "#"

    /// The part of a key that a text contributes.
    static func part(_ text: String, isComposite: Bool) -> String {
        guard readsAsNumber(text.utf8[...]) else {
            return isComposite && text.utf8.contains(where: { isEscaped($0) })
                ? text.unicodeScalars.reduce(into: "") { result, scalar in
                    if scalar.isASCII, isEscaped(UInt8(scalar.value)) { result += "\\" }
                    result.unicodeScalars.append(scalar)
                } : text
        }
        return quoted(text)
    }

    /// Whether a byte must be escaped where several values are joined.
    static func isEscaped(_ byte: UInt8) -> Bool { byte == 0x23 || byte == 0x5C }

    /// The key of the text whose characters are those of `key`; nil unless `key` reads as a whole number, in quotes or
    /// not.
    public static func ofText(spelledAs key: String) -> String? {
        readsAsNumber(key.utf8[...]) ? quoted(key) : nil
    }

    private static func quoted(_ text: String) -> String { "\"\(text)\"" }

    /// Whether a text has the form of a whole number, inside any number of pairs of quotes.
    static func readsAsNumber(_ text: some BidirectionalCollection<UInt8>) -> Bool {
        var rest = text[...]
        while rest.count > 2, rest.first == 0x22, rest.last == 0x22 {
            rest = rest.dropFirst().dropLast()
        }
        if rest.first == 0x2D { rest = rest.dropFirst() }
        guard let first = rest.first, rest.allSatisfy({ 0x30...0x39 ~= $0 }) else { return false }
        return first != 0x30 || rest.count == 1
    }
}
