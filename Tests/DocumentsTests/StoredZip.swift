/// Writes ZIP archives.
struct StoredZip {
    private var files: [UInt8] = []
    private var directory: [UInt8] = []
    private var count = 0

    /// The archive.
    var bytes: [UInt8] {
        var end: [UInt8] = [0x50, 0x4B, 5, 6, 0, 0, 0, 0]
        end += little(count, 2) + little(count, 2) + little(directory.count, 4)
        return files + directory + end + little(files.count, 4) + [0, 0]
    }

    /// An archive of texts.
    init(_ texts: [(name: String, text: String)] = []) {
        for file in texts {
            let bytes = Array(file.text.utf8)
            add(file.name, bytes, method: 0, size: bytes.count)
        }
    }

    /// Adds a file: its bytes as they are in the archive, 0 for stored or 8 for deflated, and the size that the
    /// archive says it has. Those that are deflated have a wrong checksum.
    mutating func add(_ name: String, _ bytes: [UInt8], method: Int, size: Int) {
        let start = files.count
        let common =
            little(method, 2) + [0, 0, 0, 0] + little(method == 0 ? Int(checksum(bytes)) : 0, 4)
            + little(bytes.count, 4) + little(size, 4) + little(name.utf8.count, 2) + [0, 0]
        files += [0x50, 0x4B, 3, 4, 20, 0, 0, 0] + common + Array(name.utf8) + bytes
        directory += [0x50, 0x4B, 1, 2, 20, 0, 20, 0, 0, 0] + common
        directory += [0, 0, 0, 0, 0, 0, 0, 0, 0, 0] + little(start, 4) + Array(name.utf8)
        count += 1
    }

    /// Zeros at the best ratio of deflate: a thousandth of their size.
    static func deflatedZeros(_ count: Int) -> [UInt8] {
        var result: [UInt8] = []
        var buffer: UInt32 = 0
        var bits: UInt32 = 0
        func put(_ value: UInt32, _ width: UInt32) {
            buffer |= value << bits
            bits += width
            while bits >= 8 {
                result.append(UInt8(truncatingIfNeeded: buffer))
                buffer >>= 8
                bits -= 8
            }
        }
        // One last block with fixed codes (RFC 1951, 3.2.6): a literal 0, then copies of 258 bytes at distance 1.
        put(0b011, 3)
        put(0b0000_1100, 8)
        for _ in 0..<(count / 258) {
            put(0b1010_0011, 8)
            put(0, 5)
        }
        put(0, 7)
        put(0, 7)
        return result
    }

    private func little(_ value: Int, _ width: Int) -> [UInt8] {
        (0..<width).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    /// CRC-32.
    private func checksum(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(UInt32.max) { sum, byte in
            (0..<8).reduce(sum ^ UInt32(byte)) { sum, _ in
                sum >> 1 ^ (sum & 1 == 1 ? 0xEDB8_8320 : 0)
            }
        }
    }
}
