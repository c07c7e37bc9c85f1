/// Why bytes are not JSON, or not JSON of the required form.
public struct JSONError: Error, Hashable, Sendable {
    /// What is wrong.
    public let reason: String
    /// The offset of the byte at fault.
    public let offset: Int
}

extension JSON {
    /// The deepest nesting of lists and objects that the parser accepts.
    public static let depthLimit = 64

    /// Parses one JSON value (RFC 8259) that must fill `bytes`, apart from surrounding white space.
    ///
    /// Beyond the grammar, the parser refuses repeated keys, a byte-order mark, lone surrogates, invalid UTF-8,
    /// nesting beyond ``depthLimit``, and numbers that no double holds: overflow, and whole numbers beyond ±2^53 that
    /// would lose digits.
    ///
    /// - Parameters:
    ///   - keepsFloats: Whether a whole number that is written with a fraction or an exponent stays a
    ///     ``float(_:)``.
    ///   - roundsNumbers: Whether numbers that no double holds become the nearest one, or an infinity, instead of an
    ///     error. An infinity must not be written.
    ///   - valueLimit: The number of values that the text may have; each can take a hundred times the memory of its
    ///     text.
    public init(
        parsing bytes: Span<UInt8>, keepsFloats: Bool = false, roundsNumbers: Bool = false,
        valueLimit: Int = .max
    ) throws(JSONError) {
        var parser = JSONParser()
        parser.keepsFloats = keepsFloats
        parser.roundsNumbers = roundsNumbers
        parser.valuesLeft = valueLimit
        parser.skipSpace(bytes)
        self = try parser.value(bytes, depth: 0)
        parser.skipSpace(bytes)
        guard parser.offset == bytes.count else {
            throw parser.error("unexpected text after the value")
        }
    }

    /// Parses a value in canonical form (RFC 8785): encoding it again gives the same bytes.
    ///
    /// - Parameter keepsFloats: Whether it may contain whole floating-point numbers, written as `1.0`.
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

/// A recursive-descent JSON parser. Each call takes the text as a span, so the parser stores no pointer.
struct JSONParser {
    var offset = 0
    /// The number of values that the parser may still read. A value can take a hundred times the memory of its text.
    var valuesLeft = Int.max
    /// Whether whole numbers that are written as floating-point numbers become ``JSON/float(_:)``.
    var keepsFloats = false
    /// Whether numbers that no double holds become the nearest one, or an infinity.
    var roundsNumbers = false

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
        guard offset < bytes.count else { throw error("the text ends where a value should begin") }
        guard valuesLeft > 0 else { throw error("it has too many values") }
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

    /// Reads a member's key and the colon after it, up to the start of the value.
    mutating func key(_ bytes: Span<UInt8>) throws(JSONError) -> String {
        guard offset < bytes.count, bytes[offset] == 0x22 else {
            throw error("expected a quoted key")
        }
        let key = try string(bytes)
        skipSpace(bytes)
        guard offset < bytes.count, bytes[offset] == 0x3A else {
            throw error("expected a colon")
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
            guard bytes[offset] == 0x2C else { throw error("expected a comma") }
            offset += 1
            skipSpace(bytes)
        }
    }
}

extension JSONParser {
    /// Reads a string that begins at its opening quote.
    mutating func string(_ bytes: Span<UInt8>) throws(JSONError) -> String {
        offset += 1
        var start = offset
        // Most strings have no escapes, and are validated and copied as a whole.
        while offset < bytes.count, bytes[offset] != 0x22, bytes[offset] != 0x5C,
            bytes[offset] >= 0x20
        { offset += 1 }
        if offset < bytes.count, bytes[offset] == 0x22 {
            guard let text = try? UTF8Span(validating: bytes.extracting(start..<offset)) else {
                offset += 1
                throw error("a string is not valid UTF-8")
            }
            offset += 1
            return String(copying: text)
        }
        var text: [UInt8] = []
        while true {
            guard offset < bytes.count else { throw error("the text ends inside a string") }
            switch bytes[offset] {
            case 0x22:
                append(bytes, from: start, to: &text)
                offset += 1
                guard let string = String(validating: text, as: UTF8.self) else {
                    throw error("a string is not valid UTF-8")
                }
                return string
            case 0x5C:
                append(bytes, from: start, to: &text)
                try escape(bytes, to: &text)
                start = offset
            case 0..<0x20: throw error("a control character inside a string")
            default: offset += 1
            }
        }
    }

    private func append(_ bytes: Span<UInt8>, from start: Int, to text: inout [UInt8]) {
        guard start < offset else { return }
        bytes.extracting(start..<offset).withUnsafeBufferPointer { text.append(contentsOf: $0) }
    }

    private mutating func escape(_ bytes: Span<UInt8>, to text: inout [UInt8]) throws(JSONError) {
        guard offset + 1 < bytes.count else { throw error("the text ends inside a string") }
        let letter = bytes[offset + 1]
        offset += 2
        switch letter {
        case 0x22, 0x5C, 0x2F: text.append(letter)
        case 0x62: text.append(0x08)
        case 0x66: text.append(0x0C)
        case 0x6E: text.append(0x0A)
        case 0x72: text.append(0x0D)
        case 0x74: text.append(0x09)
        case 0x75:
            let scalar = try unicodeEscape(bytes)
            text.append(contentsOf: UTF8.encode(scalar)?.map { $0 } ?? [])
        default: throw error("an unknown escape in a string")
        }
    }

    /// Reads the digits after `\u`, and the second escape of a surrogate pair; refuses an unpaired surrogate.
    mutating func unicodeEscape(_ bytes: Span<UInt8>) throws(JSONError) -> Unicode.Scalar {
        var value = try hexadecimal(bytes)
        if (0xD800..<0xDC00).contains(value) {
            guard offset + 1 < bytes.count, bytes[offset] == 0x5C, bytes[offset + 1] == 0x75 else {
                throw error("an unpaired surrogate")
            }
            offset += 2
            let low = try hexadecimal(bytes)
            guard (0xDC00..<0xE000).contains(low) else { throw error("an unpaired surrogate") }
            value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(value) else { throw error("an unpaired surrogate") }
        return scalar
    }

    private mutating func hexadecimal(_ bytes: Span<UInt8>) throws(JSONError) -> UInt32 {
        guard offset + 4 <= bytes.count else { throw error("the text ends inside a string") }
        var value: UInt32 = 0
        for _ in 0..<4 {
            // RFC 8259 allows upper and lower case here.
            let byte = bytes[offset]
            let lower = (0x41...0x46).contains(byte) ? byte | 0x20 : byte
            guard let digit = Hexadecimal.value(of: lower) else {
                throw error("a Unicode escape without four hexadecimal digits")
            }
            value = value << 4 | UInt32(digit)
            offset += 1
        }
        return value
    }

    /// Reads a number. With `isExact`, refuses a whole number whose digits a double cannot hold.
    mutating func number(
        _ bytes: Span<UInt8>, isExact: Bool = true
    ) throws(JSONError) -> Double {
        let start = offset
        var isNegative = false
        if bytes[offset] == 0x2D {
            isNegative = true
            offset += 1
        }
        var mantissa: UInt64 = 0
        var digits = 0
        let isZero = offset < bytes.count && bytes[offset] == 0x30
        scanDigits(bytes, &mantissa, &digits)
        guard digits > 0 else { throw error("expected a digit") }
        if isZero, digits > 1 { throw JSONError(reason: "a number begins with 0", offset: start) }
        var isWhole = true
        var scale = 0
        if offset < bytes.count, bytes[offset] == 0x2E {
            isWhole = false
            offset += 1
            let before = digits
            scanDigits(bytes, &mantissa, &digits)
            scale = before - digits
            guard scale < 0 else { throw error("expected a digit") }
        }
        if offset < bytes.count, bytes[offset] | 0x20 == 0x65 {
            isWhole = false
            scale += try exponent(bytes)
        }
        // Exact (Clinger 1990): both factors are exact doubles, so the result is rounded once.
        if digits <= 19, mantissa <= 1 << 53, (-22...22).contains(scale) {
            let value =
                scale < 0
                ? Double(mantissa) / Self.powersOfTen[-scale]
                : Double(mantissa) * Self.powersOfTen[scale]
            return isNegative ? -value : value
        }
        let text = bytes.extracting(start..<offset).withUnsafeBufferPointer {
            String(decoding: $0, as: UTF8.self)
        }
        guard let value = Double(text), value.isFinite || roundsNumbers else {
            throw JSONError(reason: "a number is out of range", offset: start)
        }
        // A 64-bit identifier must not lose digits silently. A number such as 1e20 written out loses none.
        if isExact, !roundsNumbers, isWhole,
            !JSON.number(value).canonicalText.utf8.elementsEqual(text.utf8)
        {
            throw JSONError(reason: "a whole number beyond 2^53 (use a string)", offset: start)
        }
        return value
    }

    private static let powersOfTen: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
        1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    ]

    private mutating func scanDigits(
        _ bytes: Span<UInt8>, _ mantissa: inout UInt64, _ digits: inout Int
    ) {
        while offset < bytes.count, case 0x30...0x39 = bytes[offset] {
            mantissa = mantissa &* 10 &+ UInt64(bytes[offset] &- 0x30)
            digits += 1
            offset += 1
        }
    }

    private mutating func exponent(_ bytes: Span<UInt8>) throws(JSONError) -> Int {
        offset += 1
        var isNegative = false
        if offset < bytes.count, bytes[offset] == 0x2B || bytes[offset] == 0x2D {
            isNegative = bytes[offset] == 0x2D
            offset += 1
        }
        var value: UInt64 = 0
        var digits = 0
        scanDigits(bytes, &value, &digits)
        guard digits > 0 else { throw error("expected a digit") }
        // More digits either begin with zeros or exceed the range of a double; the slow path reads the text itself.
        let magnitude = digits > 6 ? 1_000_000 : Int(value)
        return isNegative ? -magnitude : magnitude
    }
}
