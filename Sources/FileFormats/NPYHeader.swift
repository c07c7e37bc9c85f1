internal import Objects

/// The header of a NumPy array: whether the array has objects, which are pickled, and the size of its data.
struct NPYHeader {
    /// The first bytes of every array.
    static let magic = [0x93] + Array("NUMPY".utf8)

    /// Whether the array has Python objects. An unknown type counts as objects.
    let holdsObjects: Bool
    /// The size of the data in bytes, or `UInt64.max` when the header does not tell it; 0 for an array of objects.
    let dataSize: UInt64

    /// The longest header in bytes: it describes only one array.
    private static let limit = 64 << 10

    /// Reads a header whose magic was checked already; nil if it is truncated or of an unknown version.
    init?(_ reader: inout ByteReader<some ByteFeed>) throws(ObjectError) {
        guard let prefix = try reader.bytes(8), let major = prefix.dropFirst(6).first,
            1...3 ~= major, let length = try reader.number(major == 1 ? 2 : 4),
            length <= Self.limit, let text = try reader.bytes(Int(length))
        else { return nil }
        var parser = PythonLiteral(Array(text))
        guard case .dictionary(let members)? = parser.whole(),
            let type = members["descr"], let size = Self.size(of: type, depth: 0),
            case .tuple(let shape)? = members["shape"]
        else {
            holdsObjects = true
            dataSize = 0
            return
        }
        var total = size
        var isKnown = true
        for extent in shape {
            guard case .number(let count) = extent else {
                isKnown = false
                break
            }
            let (product, overflow) = total.multipliedReportingOverflow(by: count)
            total = product
            isKnown = isKnown && !overflow
        }
        holdsObjects = false
        dataSize = isKnown ? total : .max
    }

    /// The size of one element in bytes. Nil for any type but numbers, truth values, times, text or bytes of fixed
    /// size, and structures of these.
    private static func size(of type: PythonLiteral.Value, depth: Int) -> UInt64? {
        switch type {
        case .text(let text): return size(of: text)
        case .list(let fields) where depth < 8:
            var sum: UInt64 = 0
            for field in fields {
                guard case .tuple(let parts) = field, 2...3 ~= parts.count,
                    var size = size(of: parts[1], depth: depth + 1)
                else { return nil }
                if parts.count == 3 {
                    let extents: [PythonLiteral.Value] =
                        if case .tuple(let several) = parts[2] { several } else { [parts[2]] }
                    for extent in extents {
                        guard case .number(let count) = extent,
                            case let (product, overflow) = size.multipliedReportingOverflow(
                                by: count), !overflow
                        else { return nil }
                        size = product
                    }
                }
                let (total, overflow) = sum.addingReportingOverflow(size)
                guard !overflow else { return nil }
                sum = total
            }
            return sum
        default: return nil
        }
    }

    private static func size(of text: [UInt8]) -> UInt64? {
        var rest = text[...]
        if let order = rest.first, "<>|=".utf8.contains(order) { rest = rest.dropFirst() }
        guard let kind = rest.popFirst(), "biufcSUVmM?".utf8.contains(kind) else { return nil }
        let isTime = kind == UInt8(ascii: "m") || kind == UInt8(ascii: "M")
        let digits = rest.prefix { 0x30...0x39 ~= $0 }
        rest = rest.dropFirst(digits.count)
        if isTime, rest.first == 0x5B, rest.last == 0x5D { rest = [] }
        guard rest.isEmpty, digits.count < 10 else { return nil }
        if kind == UInt8(ascii: "?"), digits.isEmpty { return 1 }
        guard let count = UInt64(String(decoding: digits, as: UTF8.self)) else { return nil }
        return kind == UInt8(ascii: "U") ? 4 * count : count
    }
}

/// Parses the Python literals in headers of arrays: a subset of `ast.literal_eval`, without escapes, signs and
/// floating-point numbers.
struct PythonLiteral {
    /// A parsed literal.
    enum Value {
        case text([UInt8])
        case number(UInt64)
        case constant
        case list([Value])
        case tuple([Value])
        case dictionary([String: Value])
    }

    private let bytes: [UInt8]
    private var at = 0
    private static let depthLimit = 16

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Parses all of the text as one value; nil if it is anything else.
    mutating func whole() -> Value? {
        guard let value = value(depth: 0) else { return nil }
        skipSpace()
        return at == bytes.count ? value : nil
    }

    private mutating func skipSpace() {
        while at < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[at]) { at += 1 }
    }

    private mutating func value(depth: Int) -> Value? {
        skipSpace()
        guard at < bytes.count, depth < Self.depthLimit else { return nil }
        let start = at
        switch bytes[at] {
        case 0x27, 0x22: return text()
        case 0x30...0x39:
            let digits = bytes[at...].prefix { 0x30...0x39 ~= $0 }
            at += digits.count
            // Python 2 wrote an L after long integers.
            if at < bytes.count, bytes[at] == 0x4C { at += 1 }
            return UInt64(String(decoding: digits, as: UTF8.self)).map { .number($0) }
        case 0x54, 0x46, 0x4E:
            let word = bytes[at...].prefix { 0x41...0x5A ~= $0 || 0x61...0x7A ~= $0 }
            at += word.count
            let isConstant = ["True", "False", "None"].contains { word.elementsEqual($0.utf8) }
            return isConstant ? .constant : nil
        case 0x5B: return elements(close: 0x5D, depth: depth).map { .list($0) }
        case 0x28:
            guard let elements = elements(close: 0x29, depth: depth) else { return nil }
            // A single value in parentheses without a comma is that value, not a tuple.
            let hasComma = bytes[start..<at].contains(0x2C)
            return elements.count == 1 && !hasComma ? elements[0] : .tuple(elements)
        case 0x7B: return dictionary(depth: depth)
        default: return nil
        }
    }

    private mutating func text() -> Value? {
        let quote = bytes[at]
        let content = bytes[(at + 1)...].prefix { $0 != quote && $0 != 0x5C && $0 != 0x0A }
        let end = at + 1 + content.count
        guard end < bytes.count, bytes[end] == quote else { return nil }
        at = end + 1
        return .text(Array(content))
    }

    private mutating func elements(close: UInt8, depth: Int) -> [Value]? {
        at += 1
        var values: [Value] = []
        while true {
            skipSpace()
            guard at < bytes.count else { return nil }
            if bytes[at] == close { break }
            guard let value = value(depth: depth + 1) else { return nil }
            values.append(value)
            skipSpace()
            guard at < bytes.count, bytes[at] == close || bytes[at] == 0x2C else { return nil }
            if bytes[at] == 0x2C { at += 1 }
        }
        at += 1
        return values
    }

    private mutating func dictionary(depth: Int) -> Value? {
        at += 1
        var members: [String: Value] = [:]
        while true {
            skipSpace()
            guard at < bytes.count else { return nil }
            if bytes[at] == 0x7D { break }
            guard case .text(let name)? = value(depth: depth + 1) else { return nil }
            skipSpace()
            guard at < bytes.count, bytes[at] == 0x3A else { return nil }
            at += 1
            guard let value = value(depth: depth + 1) else { return nil }
            members[String(decoding: name, as: UTF8.self)] = value
            skipSpace()
            guard at < bytes.count, bytes[at] == 0x7D || bytes[at] == 0x2C else { return nil }
            if bytes[at] == 0x2C { at += 1 }
        }
        at += 1
        return .dictionary(members)
    }
}
