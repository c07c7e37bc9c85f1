/// What compressed files and archives other than zip begin with.
enum PackedFormat {
    case gzip
    case zlib
    case tar
    /// One that is not looked into.
    case other

    /// The format of a file that begins with these bytes, at least 512 of a longer file; nil for any other. Of zlib the
    /// two bytes say little: it is one when it can be inflated.
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
        // A frame of zstd or lz4 that is skipped may stand before those that are not.
        if head.count > 8, 0x50...0x5F ~= head[0], head[1...3].elementsEqual([0x2A, 0x4D, 0x18]) {
            return true
        }
        let ends: [[UInt8]] = [
            [0x31, 0x41, 0x59, 0x26, 0x53, 0x59], [0x17, 0x72, 0x45, 0x38, 0x50, 0x90],
        ]
        return head.starts(with: "BZh".utf8) && head.count >= 10 && 0x31...0x39 ~= head[3]
            && ends.contains { head[4..<10].elementsEqual($0) }
    }

    /// Whether it is LZMA as older than xz. It has no magic: its properties, the size of its dictionary, the size of
    /// its content and the first byte of its numbers must make sense together.
    private static func isLZMA(_ head: [UInt8], size: Int) -> Bool {
        guard head.count >= 18, head[0] < 225, head[0] % 9 + head[0] / 9 % 5 <= 4, head[13] == 0
        else { return false }
        let dictionary = head[1..<5].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        let isUsual = dictionary.nonzeroBitCount == 1 || isSumOfTwo(dictionary)
        guard dictionary == .max || dictionary >= 4096 && isUsual else { return false }
        let content = head[5..<13].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        if content == .max { return true }
        // Nothing grows by more than a little.
        return content > 0 && content < 1 << 38 && UInt64(size) <= content + content / 8 + 64
    }

    /// Whether a number is 2^n + 2^(n-1), the other sizes that dictionaries have.
    private static func isSumOfTwo(_ value: UInt32) -> Bool {
        value.nonzeroBitCount == 2
            && value.leadingZeroBitCount + value.trailingZeroBitCount == 30
    }
}

/// One header of a tar file.
struct TarHeader {
    static let blockSize = 512
    /// The size of what follows it.
    let size: Int

    /// Reads the first block of some bytes; nil where its checksum is not right.
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
