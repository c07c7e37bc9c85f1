/// The fast path for JSON Lines: copies a line written in the usual way straight into the bytes of a row.
///
/// It creates no values and allocates nothing for each row. It leaves unusual spellings and errors to
/// ``JSONLinesRowParser``, which gives the same bytes or explains the error.
struct PlainRowParser {
    private let keyFields: [[UInt8]]
    private let vectorField: [UInt8]?
    private var canonical = CanonicalText()
    private var buffer = [Float](repeating: 0, count: 1024)

    /// The key of the last row.
    private(set) var key: [UInt8] = []
    /// Its vector, fp32; empty without a vector field.
    private(set) var vector: [UInt8] = []
    /// Its attributes as canonical JSON.
    var attributes: [UInt8] { canonical.bytes }

    /// The general parser handles deeper nesting, up to its own limit.
    private static let depthLimit = 16

    init(keyFields: [String], vectorField: String?) {
        self.keyFields = keyFields.map { Array($0.utf8) }
        self.vectorField = vectorField.map { Array($0.utf8) }
        keyRanges = [Range<Int>](repeating: 0..<0, count: keyFields.count)
    }

    /// The range of each key field's value in the canonical bytes; empty until the field was read.
    private var keyRanges: [Range<Int>]

    /// Reads a line; returns false when it leaves the line to the general parser.
    mutating func read(_ line: Span<UInt8>) -> Bool {
        canonical.removeAll()
        key.removeAll(keepingCapacity: true)
        vector.removeAll(keepingCapacity: true)
        for index in keyRanges.indices { keyRanges[index] = 0..<0 }
        var offset = Self.skipSpace(line, 0)
        guard offset < line.count, line[offset] == 0x7B, members(line, &offset) else {
            return false
        }
        guard Self.skipSpace(line, offset) == line.count,
            vectorField == nil || !vector.isEmpty, takeKey(),
            canonical.sortMembers(from: 0, start: 0)
        else { return false }
        return canonical.bytes.count <= TableLimits.attributeBytes
    }

    private static func skipSpace(_ line: Span<UInt8>, _ start: Int) -> Int {
        var offset = start
        while offset < line.count {
            switch line[offset] {
            case 0x20, 0x09, 0x0A, 0x0D: offset += 1
            default: return offset
            }
        }
        return offset
    }

    private mutating func takeKey() -> Bool {
        var parts: [UInt8] = []
        swap(&parts, &key)
        for range in keyRanges {
            guard !range.isEmpty else { return false }
            if !parts.isEmpty { parts.append(0x23) }
            let isText = canonical.bytes[range.lowerBound - 1] == 0x22
            if isText, keyFields.count > 1,
                canonical.bytes[range].contains(where: { RowKey.isEscaped($0) })
            {
                return false
            }
            // Texts that contain quotes have escapes, and were left to the general parser.
            let isQuoted = isText && RowKey.readsAsNumber(canonical.bytes[range])
            if isQuoted { parts.append(0x22) }
            LittleEndian.append(canonical.bytes.span.extracting(range), to: &parts)
            if isQuoted { parts.append(0x22) }
        }
        swap(&parts, &key)
        return EncodedTableRow.keyProblem(key.span) == nil
    }

    /// Reads the members of the line's object, including its closing brace.
    private mutating func members(_ line: Span<UInt8>, _ offset: inout Int) -> Bool {
        offset = Self.skipSpace(line, offset + 1)
        canonical.open(0x7B)
        guard offset < line.count, line[offset] == 0x22 else { return false }
        while true {
            let nameStart = offset + 1
            let member = canonical.beginMember()
            guard let name = canonical.string(line, &offset, isName: true) else { return false }
            offset = Self.skipSpace(line, offset)
            guard offset < line.count, line[offset] == 0x3A else { return false }
            offset = Self.skipSpace(line, offset + 1)
            guard offset < line.count else { return false }
            let nameSpan = line.extracting(nameStart..<nameStart + name.count)
            if let vectorField, TableBytes.areEqual(vectorField.span, nameSpan) {
                canonical.removeMember(member)
                guard vector.isEmpty, line[offset] == 0x5B,
                    let (_, end) = JSONText.appendFloats(
                        of: line, from: offset + 1, atMost: TableLimits.dimension, to: &vector,
                        through: &buffer)
                else { return false }
                offset = end
            } else {
                canonical.append(0x3A)
                let start = canonical.bytes.count
                guard value(line, &offset, depth: 1) else { return false }
                canonical.endMember(member, name: name)
                for (index, field) in keyFields.enumerated()
                where TableBytes.areEqual(field.span, nameSpan) {
                    guard let range = canonical.keyPart(from: start) else { return false }
                    keyRanges[index] = range
                }
            }
            offset = Self.skipSpace(line, offset)
            guard offset < line.count else { return false }
            if line[offset] == 0x7D { break }
            guard line[offset] == 0x2C else { return false }
            offset = Self.skipSpace(line, offset + 1)
            guard offset < line.count, line[offset] == 0x22 else { return false }
        }
        offset += 1
        canonical.close(0x7D)
        return true
    }

    private mutating func value(
        _ line: Span<UInt8>, _ offset: inout Int, depth: Int
    ) -> Bool {
        switch line[offset] {
        case 0x22: canonical.string(line, &offset, isName: false) != nil
        case 0x7B: depth < Self.depthLimit && object(line, &offset, depth: depth)
        case 0x5B: depth < Self.depthLimit && array(line, &offset, depth: depth)
        case 0x74: canonical.literal("true", line, &offset)
        case 0x66: canonical.literal("false", line, &offset)
        case 0x6E: canonical.literal("null", line, &offset)
        case 0x2D, 0x30...0x39: canonical.number(line, &offset)
        default: false
        }
    }

    private mutating func object(
        _ line: Span<UInt8>, _ offset: inout Int, depth: Int
    ) -> Bool {
        let (first, start) = (canonical.members.count, canonical.bytes.count)
        canonical.open(0x7B)
        offset = Self.skipSpace(line, offset + 1)
        guard offset < line.count else { return false }
        while line[offset] != 0x7D {
            let member = canonical.beginMember()
            guard line[offset] == 0x22,
                let name = canonical.string(line, &offset, isName: true)
            else { return false }
            offset = Self.skipSpace(line, offset)
            guard offset < line.count, line[offset] == 0x3A else { return false }
            offset = Self.skipSpace(line, offset + 1)
            canonical.append(0x3A)
            guard offset < line.count, value(line, &offset, depth: depth + 1) else { return false }
            canonical.endMember(member, name: name)
            guard Self.comma(line, &offset, before: 0x7D) else { return false }
        }
        offset += 1
        canonical.close(0x7D)
        return canonical.sortMembers(from: first, start: start)
    }

    private mutating func array(_ line: Span<UInt8>, _ offset: inout Int, depth: Int) -> Bool {
        canonical.open(0x5B)
        offset = Self.skipSpace(line, offset + 1)
        guard offset < line.count else { return false }
        while line[offset] != 0x5D {
            guard value(line, &offset, depth: depth + 1) else { return false }
            canonical.append(0x2C)
            guard Self.comma(line, &offset, before: 0x5D) else { return false }
        }
        offset += 1
        canonical.close(0x5D)
        return true
    }

    /// Skips a comma, up to the next element or the closing byte.
    private static func comma(
        _ line: Span<UInt8>, _ offset: inout Int, before close: UInt8
    ) -> Bool {
        offset = skipSpace(line, offset)
        guard offset < line.count else { return false }
        if line[offset] == close { return true }
        guard line[offset] == 0x2C else { return false }
        offset = skipSpace(line, offset + 1)
        return offset < line.count && line[offset] != close
    }
}
