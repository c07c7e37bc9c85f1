/// Why bytes are not JSON, or not JSON of the form that is asked for.
public struct JSONError: Error, Hashable, Sendable {
    /// What is wrong.
    public let reason: String
    /// The byte where it shows.
    public let offset: Int
}

extension JSON {
    /// The deepest nesting of lists and objects that is accepted.
    public static let depthLimit = 64

    /// Reads one JSON value (RFC 8259) that must fill `bytes`, apart from white space around it.
    ///
    /// Refused beyond the grammar: repeated keys, a byte-order mark, lone surrogates, invalid UTF-8,
    /// numbers that no double holds (whole numbers beyond ±2^53 that would lose digits, overflow), nesting beyond
    /// ``depthLimit``.
    ///
    /// - Parameter keepsFloats: Whether a whole number that is written with a fraction or an exponent stays a
    ///   ``float(_:)``.
    public init(parsing bytes: Span<UInt8>, keepsFloats: Bool = false) throws(JSONError) {
        var parser = JSONParser()
        parser.keepsFloats = keepsFloats
        parser.skipSpace(bytes)
        self = try parser.value(bytes, depth: 0)
        parser.skipSpace(bytes)
        guard parser.offset == bytes.count else {
            throw parser.error("unexpected text after the value")
        }
    }

    /// Reads a value that must be spelled canonically (RFC 8785): re-encoding gives the same bytes.
    ///
    /// - Parameter keepsFloats: Whether it may hold floating-point numbers that are whole, spelled `1.0`.
    public init(canonical bytes: [UInt8], keepsFloats: Bool = false) throws(JSONError) {
        self = try JSON(parsing: bytes.span, keepsFloats: keepsFloats)
        let again = canonicalBytes
        guard again == bytes else {
            let offset = zip(again, bytes).enumerated().first { $1.0 != $1.1 }?.offset
            throw JSONError(
                reason: "not in canonical form", offset: offset ?? min(again.count, bytes.count))
        }
    }
}

/// A recursive-descent reader of JSON; the span is passed along, so that it holds no pointer.
struct JSONParser {
    var offset = 0
    /// How many more values may be read: a value takes up to a hundred times the memory of its text.
    var valuesLeft = Int.max
    /// Whether whole numbers that are written as floating-point numbers stay such.
    var keepsFloats = false

    func error(_ reason: String) -> JSONError { JSONError(reason: reason, offset: offset) }

    mutating func skipSpace(_ bytes: Span<UInt8>) {
        while offset < bytes.count {
            switch bytes[offset] {
            case 0x20, 0x09, 0x0A, 0x0D: offset += 1
            default: return
            }
        }
    }

    mutating func value(_ bytes: Span<UInt8>, depth: Int) throws(JSONError) -> JSON {
        guard offset < bytes.count else { throw error("the text ends where a value is expected") }
        guard valuesLeft > 0 else { throw error("it has more values than are read") }
        valuesLeft -= 1
        switch bytes[offset] {
        case 0x7B, 0x5B:
            guard depth < JSON.depthLimit else { throw error("nested too deeply") }
            return bytes[offset] == 0x7B
                ? try object(bytes, depth: depth) : try array(bytes, depth: depth)
        case 0x22: return .string(try string(bytes))
        case 0x74: return try literal("true", .bool(true), bytes)
        case 0x66: return try literal("false", .bool(false), bytes)
        case 0x6E: return try literal("null", .null, bytes)
        case 0x2D, 0x30...0x39:
            let start = offset
            let value = try number(bytes)
            guard keepsFloats, JSONText.isFloat(bytes.extracting(start..<offset)) else {
                return .number(value)
            }
            return .real(value)
        default: throw error("not a value")
        }
    }

    private mutating func literal(
        _ word: StaticString, _ value: JSON, _ bytes: Span<UInt8>
    ) throws(JSONError) -> JSON {
        let text = word.description.utf8
        guard bytes.count - offset >= text.count else { throw error("not a value") }
        for (index, byte) in text.enumerated() where bytes[offset + index] != byte {
            throw error("not a value")
        }
        offset += text.count
        return value
    }

    private mutating func object(_ bytes: Span<UInt8>, depth: Int) throws(JSONError) -> JSON {
        let start = offset
        var members: [JSONObject.Member] = []
        try list(bytes, close: 0x7D) { (parser) throws(JSONError) in
            let key = try parser.key(bytes)
            members.append(.init(key: key, value: try parser.value(bytes, depth: depth + 1)))
        }
        guard let object = JSONObject(unsorted: members) else {
            throw JSONError(reason: "a key is repeated in one object", offset: start)
        }
        return .object(object)
    }

    /// Reads a member's key and the colon after it, up to where its value begins.
    mutating func key(_ bytes: Span<UInt8>) throws(JSONError) -> String {
        guard offset < bytes.count, bytes[offset] == 0x22 else {
            throw error("a key in quotes is expected")
        }
        let key = try string(bytes)
        skipSpace(bytes)
        guard offset < bytes.count, bytes[offset] == 0x3A else {
            throw error("a colon is expected")
        }
        offset += 1
        skipSpace(bytes)
        return key
    }

    private mutating func array(_ bytes: Span<UInt8>, depth: Int) throws(JSONError) -> JSON {
        var values: [JSON] = []
        try list(bytes, close: 0x5D) { (parser) throws(JSONError) in
            values.append(try parser.value(bytes, depth: depth + 1))
        }
        return .array(values)
    }

    /// Reads comma-separated elements between an opening and a closing byte.
    mutating func list(
        _ bytes: Span<UInt8>, close: UInt8,
        element: (inout JSONParser) throws(JSONError) -> Void
    ) throws(JSONError) {
        offset += 1
        skipSpace(bytes)
        if offset < bytes.count, bytes[offset] == close {
            offset += 1
            return
        }
        while true {
            try element(&self)
            skipSpace(bytes)
            guard offset < bytes.count else {
                throw error("the text ends inside \(close == 0x7D ? "an object" : "a list")")
            }
            if bytes[offset] == close {
                offset += 1
                return
            }
            guard bytes[offset] == 0x2C else { throw error("a comma is expected") }
            offset += 1
            skipSpace(bytes)
        }
    }
}
