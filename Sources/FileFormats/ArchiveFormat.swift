internal import Objects

/// The central directory of a zip file, found from the end of the file as in Python's `zipfile` and PyTorch's reader.
struct ZipDirectory {
    /// A member of the zip file.
    struct Entry {
        let name: [UInt8]
        let method: Int
        let isEncrypted: Bool
        let compressedSize: Int
        /// The possible offsets of the member's own header; Python uses the first.
        let headerOffsets: [Int]
    }

    /// The first bytes of a zip file.
    static let magic = Array("PK\u{3}\u{4}".utf8)
    static let headerSize = 30

    /// The entries that were read.
    private(set) var entries: [Entry] = []
    /// Whether some entries were not read, because of a limit.
    private(set) var isCut = false

    /// The maximum number of entries to read; no model has more.
    private static let entryLimit = 1 << 14
    private static let directoryLimit = 64 << 20
    /// The maximum number of bytes from the end record to the end of the file, which include a comment of up to 64 KiB.
    private static let tailSize = 22 + (64 << 10)
    /// The most end records to try; readers differ in which one they choose.
    private static let candidateLimit = 16

    /// Reads the directory of an object; nil if there is none.
    static func read(
        _ id: ObjectID, size: Int, in source: some ObjectRangeSource
    ) throws(ObjectError) -> ZipDirectory? {
        var directory = ZipDirectory()
        return try directory.find(in: id, size: size, source) ? directory : nil
    }

    private mutating func find(
        in id: ObjectID, size: Int, _ source: some ObjectRangeSource
    ) throws(ObjectError) -> Bool {
        let start = max(0, size - Self.tailSize)
        let tail = try source.read(id, offset: start, count: size - start)
        var found = false
        var candidates = 0
        for at in stride(from: tail.count - 22, through: 0, by: -1)
        where candidates < Self.candidateLimit && tail[at...].starts(with: "PK\u{5}\u{6}".utf8) {
            candidates += 1
            var size = Self.number(tail, at + 12, 4)
            var offset = Self.number(tail, at + 16, 4)
            var end = start + at
            if at >= 20, tail[(at - 20)...].starts(with: "PK\u{6}\u{7}".utf8) {
                // The 64-bit record takes precedence; it is right before its locator.
                let record = try source.read(id, offset: max(0, end - 76), count: 56)
                if record.count == 56, record.starts(with: "PK\u{6}\u{6}".utf8) {
                    size = Self.number(record, 40, 8)
                    offset = Self.number(record, 48, 8)
                    end -= 76
                }
            }
            // Bytes before the archive shift all offsets in it.
            for place in Set([end - size, offset]) where size > 0 && 0...end ~= place {
                guard size <= Self.directoryLimit, size <= end - place + 1 || place == offset else {
                    isCut = true
                    continue
                }
                let directory = try source.read(
                    id, offset: place, count: min(size, start + tail.count - place))
                if take(directory, shift: place - offset) { found = true }
            }
        }
        return found || isCut
    }

    /// Adds the entries of a directory; returns false if it does not begin with an entry.
    private mutating func take(_ directory: [UInt8], shift: Int) -> Bool {
        var at = 0
        while at + 46 <= directory.count, directory[at...].starts(with: "PK\u{1}\u{2}".utf8) {
            guard entries.count < Self.entryLimit else {
                isCut = true
                break
            }
            let nameLength = Self.number(directory, at + 28, 2)
            let extraLength = Self.number(directory, at + 30, 2)
            let next = at + 46 + nameLength + extraLength + Self.number(directory, at + 32, 2)
            guard at + 46 + nameLength + extraLength <= directory.count else { break }
            var compressed = Self.number(directory, at + 20, 4)
            var header = Self.number(directory, at + 42, 4)
            let extra = directory[(at + 46 + nameLength)..<(at + 46 + nameLength + extraLength)]
            Self.widen(
                &compressed, &header, uncompressed: Self.number(directory, at + 24, 4),
                Array(extra))
            entries.append(
                Entry(
                    name: Array(directory[(at + 46)..<(at + 46 + nameLength)]),
                    method: Self.number(directory, at + 10, 2),
                    isEncrypted: directory[at + 8] & 1 == 1, compressedSize: compressed,
                    headerOffsets: shift == 0 ? [header] : [header &+ shift, header]))
            at = next
        }
        return at > 0
    }

    /// Takes 64-bit sizes and offsets from an extra field, where the 32-bit ones refer to it.
    private static func widen(
        _ compressed: inout Int, _ header: inout Int, uncompressed: Int, _ extra: [UInt8]
    ) {
        var at = 0
        while at + 4 <= extra.count {
            let end = at + 4 + number(extra, at + 2, 2)
            if number(extra, at, 2) == 1 {
                var field = at + 4
                func next() -> Int? {
                    defer { field += 8 }
                    return field + 8 <= min(end, extra.count) ? number(extra, field, 8) : nil
                }
                if uncompressed == 0xFFFF_FFFF { _ = next() }
                if compressed == 0xFFFF_FFFF { compressed = next() ?? compressed }
                if header == 0xFFFF_FFFF { header = next() ?? header }
            }
            at = end
        }
    }

    /// Where an entry's content lies in the object; nil without a local header.
    func content(
        of entry: Entry, in id: ObjectID, size: Int, _ source: some ObjectRangeSource
    ) throws(ObjectError) -> Range<Int>? {
        for offset in entry.headerOffsets where offset >= 0 && offset <= size - Self.headerSize {
            let header = try source.read(id, offset: offset, count: Self.headerSize)
            guard header.starts(with: Self.magic) else { continue }
            let start =
                offset + Self.headerSize + Self.number(header, 26, 2) + Self.number(header, 28, 2)
            guard start <= size else { continue }
            return start..<start + min(entry.compressedSize, size - start)
        }
        return nil
    }

    /// Reads a little-endian number, clamped to `Int.max`.
    private static func number(_ bytes: [UInt8], _ at: Int, _ width: Int) -> Int {
        let value = bytes[at..<at + width].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return Int(clamping: value)
    }
}

/// The formats of compressed files and archives other than zip.
enum PackedFormat {
    case gzip
    case zlib
    case tar
    /// A format that cannot be inspected.
    case other

    /// Detects the format from the beginning of a file: at least 512 bytes, or the whole file when it is shorter. Nil
    /// for any other format. The two bytes of a zlib header prove little, so the caller must try to inflate the file.
    init?(_ head: [UInt8], size: Int) {
        if head.starts(with: [0x1F, 0x8B, 8]) {
            self = .gzip
        } else if Self.isOther(head) || Self.isLZMA(head, size: size) {
            self = .other
        } else if TarHeader(head) != nil {
            self = .tar
        } else if head.count > 2, head[0] & 15 == 8, head[0] >> 4 < 8,
            (Int(head[0]) << 8 | Int(head[1])) % 31 == 0, head[1] & 0x20 == 0
        {
            self = .zlib
        } else {
            return nil
        }
    }

    private static func isOther(_ head: [UInt8]) -> Bool {
        let marks: [[UInt8]] = [
            [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0],  // xz
            [0x28, 0xB5, 0x2F, 0xFD],  // zstd
            [0x04, 0x22, 0x4D, 0x18], [0x02, 0x21, 0x4C, 0x18],  // lz4
            [0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C],  // 7z
            [0x1F, 0x9D], [0x1F, 0xA0],  // compress
            [0x52, 0x61, 0x72, 0x21, 0x1A, 7],  // rar
            [0xFF, 6, 0, 0, 0x73, 0x4E, 0x61, 0x50],  // snappy
            Array("ZF0x".utf8),  // joblib before 0.10
        ]
        if marks.contains(where: { head.starts(with: $0) }) { return true }
        // A zstd or lz4 file may begin with a skippable frame.
        if head.count > 8, 0x50...0x5F ~= head[0], head[1...3].elementsEqual([0x2A, 0x4D, 0x18]) {
            return true
        }
        let ends: [[UInt8]] = [
            [0x31, 0x41, 0x59, 0x26, 0x53, 0x59], [0x17, 0x72, 0x45, 0x38, 0x50, 0x90],
        ]
        return head.starts(with: "BZh".utf8) && head.count >= 10 && 0x31...0x39 ~= head[3]
            && ends.contains { head[4..<10].elementsEqual($0) }
    }

    /// Whether the file has the LZMA format that preceded xz. The format has no magic, so the properties, the sizes of
    /// dictionary and content, and the first byte of the range coder must make sense together.
    private static func isLZMA(_ head: [UInt8], size: Int) -> Bool {
        guard head.count >= 18, head[0] < 225, head[0] % 9 + head[0] / 9 % 5 <= 4, head[13] == 0
        else { return false }
        let dictionary = head[1..<5].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        let isUsual = dictionary.nonzeroBitCount == 1 || isSumOfTwo(dictionary)
        guard dictionary == .max || dictionary >= 4096 && isUsual else { return false }
        let content = head[5..<13].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        if content == .max { return true }
        // Compression never makes a file much larger.
        return content > 0 && content < 1 << 38 && UInt64(size) <= content + content / 8 + 64
    }

    /// Whether a number is 2^n + 2^(n-1), the other usual form of dictionary sizes.
    private static func isSumOfTwo(_ value: UInt32) -> Bool {
        value.nonzeroBitCount == 2
            && value.leadingZeroBitCount + value.trailingZeroBitCount == 30
    }
}

/// The header of a tar member.
struct TarHeader {
    static let blockSize = 512
    /// The size of the member's content in bytes.
    let size: Int

    /// Decodes the first block of `bytes`; nil if its checksum is wrong.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= Self.blockSize, bytes[0] != 0,
            let sum = Self.octal(bytes[148..<156])
        else { return nil }
        var unsigned = 0
        var signed = 0
        for (index, byte) in bytes[..<Self.blockSize].enumerated() {
            let value = 148..<156 ~= index ? 0x20 : byte
            unsigned += Int(value)
            signed += Int(Int8(bitPattern: value))
        }
        guard sum == unsigned || sum == signed else { return nil }
        let field = bytes[124..<136]
        if let first = field.first, first & 0x80 != 0 {
            size = field.suffix(7).reduce(0) { $0 << 8 | Int($1) }
        } else {
            size = Self.octal(field) ?? 0
        }
    }

    private static func octal(_ field: ArraySlice<UInt8>) -> Int? {
        let digits = field.drop { $0 == 0x20 }.prefix { 0x30...0x37 ~= $0 }
        return Int(String(decoding: digits, as: UTF8.self), radix: 8)
    }
}
