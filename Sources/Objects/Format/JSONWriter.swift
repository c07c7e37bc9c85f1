extension JSON {
    /// The canonical encoding of RFC 8785: sorted keys, no insignificant space, shortest numbers.
    public var canonicalBytes: [UInt8] {
        var bytes: [UInt8] = []
        appendCanonical(to: &bytes)
        return bytes
    }

    /// ``canonicalBytes`` as text.
    public var canonicalText: String { String(decoding: canonicalBytes, as: UTF8.self) }

    /// Appends the canonical encoding.
    public func appendCanonical(to bytes: inout [UInt8]) {
        switch self {
        case .null: bytes.append(contentsOf: "null".utf8)
        case .bool(let value): bytes.append(contentsOf: (value ? "true" : "false").utf8)
        case .number(let value): Self.append(value, to: &bytes)
        case .float(let value):
            if value == 0, value.sign == .minus { bytes.append(0x2D) }
            Self.append(value, to: &bytes)
            bytes.append(contentsOf: ".0".utf8)
        case .string(let value): Self.append(value, to: &bytes)
        case .array(let values):
            bytes.append(0x5B)
            for (index, value) in values.enumerated() {
                if index > 0 { bytes.append(0x2C) }
                value.appendCanonical(to: &bytes)
            }
            bytes.append(0x5D)
        case .object(let object):
            bytes.append(0x7B)
            for (index, member) in object.members.enumerated() {
                if index > 0 { bytes.append(0x2C) }
                Self.append(member.key, to: &bytes)
                bytes.append(0x3A)
                member.value.appendCanonical(to: &bytes)
            }
            bytes.append(0x7D)
        }
    }

    /// Escapes only what must be escaped, as RFC 8785 section 3.2.2.2 says.
    private static func append(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(0x22)
        defer { bytes.append(0x22) }
        guard mustEscape(text) else { return bytes.append(contentsOf: text.utf8) }
        for byte in text.utf8 {
            switch byte {
            case 0x22: bytes.append(contentsOf: [0x5C, 0x22])
            case 0x5C: bytes.append(contentsOf: [0x5C, 0x5C])
            case 0x08: bytes.append(contentsOf: [0x5C, 0x62])
            case 0x09: bytes.append(contentsOf: [0x5C, 0x74])
            case 0x0A: bytes.append(contentsOf: [0x5C, 0x6E])
            case 0x0C: bytes.append(contentsOf: [0x5C, 0x66])
            case 0x0D: bytes.append(contentsOf: [0x5C, 0x72])
            case 0..<0x20:
                bytes.append(contentsOf: "\\u00".utf8)
                bytes.append(contentsOf: Hexadecimal.encode([byte]).utf8)
            default: bytes.append(byte)
            }
        }
    }

    private static func mustEscape(_ text: String) -> Bool {
        let bytes = text.utf8Span.span
        for index in bytes.indices
        where bytes[index] < 0x20 || bytes[index] == 0x22 || bytes[index] == 0x5C {
            return true
        }
        return false
    }

    /// Writes a number as ECMAScript's `Number.prototype.toString` does (RFC 8785 section 3.2.2.3).
    private static func append(_ value: Double, to bytes: inout [UInt8]) {
        precondition(value.isFinite, "JSON has no infinity and no NaN")
        if value == 0 { return bytes.append(0x30) }
        if let whole = Int(exactly: value), whole.magnitude <= UInt(largestInteger) {
            return bytes.append(contentsOf: String(whole).utf8)
        }
        // Swift's description has the shortest digits that round-trip; only their layout differs.
        var digits: [UInt8] = []
        var pointAt: Int?
        var exponent = 0
        var text = value.magnitude.description.utf8[...]
        if let mark = text.firstIndex(of: 0x65) {
            exponent = Int(String(text[text.index(after: mark)...]) ?? "") ?? 0
            text = text[..<mark]
        }
        for byte in text {
            if byte == 0x2E { pointAt = digits.count } else { digits.append(byte) }
        }
        var pointPosition = (pointAt ?? digits.count) + exponent
        let leadingZeros = digits.prefix { $0 == 0x30 }.count
        digits.removeFirst(leadingZeros)
        pointPosition -= leadingZeros
        while digits.last == 0x30 { digits.removeLast() }
        if value < 0 { bytes.append(0x2D) }
        layOut(digits, pointPosition: pointPosition, to: &bytes)
    }

    private static func layOut(_ digits: [UInt8], pointPosition: Int, to bytes: inout [UInt8]) {
        let zero: UInt8 = 0x30
        switch pointPosition {
        case digits.count...21:
            bytes.append(contentsOf: digits)
            bytes.append(contentsOf: repeatElement(zero, count: pointPosition - digits.count))
        case 1...21:
            bytes.append(contentsOf: digits[..<pointPosition])
            bytes.append(0x2E)
            bytes.append(contentsOf: digits[pointPosition...])
        case -5...0:
            bytes.append(contentsOf: [zero, 0x2E])
            bytes.append(contentsOf: repeatElement(zero, count: -pointPosition))
            bytes.append(contentsOf: digits)
        default:
            bytes.append(digits[0])
            if digits.count > 1 {
                bytes.append(0x2E)
                bytes.append(contentsOf: digits[1...])
            }
            bytes.append(contentsOf: pointPosition > 0 ? "e+".utf8 : "e-".utf8)
            bytes.append(contentsOf: String(abs(pointPosition - 1)).utf8)
        }
    }
}
