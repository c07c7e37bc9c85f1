/// Makes names that a tree may hold of those that it may not.
///
/// What is wrong in a name is written as `%` and two hexadecimal digits a byte; a name that is taken gets `~2`, `~3` and
/// so on. The result depends on the names in the directory alone.
struct NameRepair {
    private var taken: Set<String> = []

    /// The longest that is kept of a name that is too long.
    private static let longest = 200

    /// Begins with the names of a directory that are in order and stay.
    init(keeping names: [FileName]) { taken = Set(names.map(\.folded)) }

    /// A name that is in order and not taken, which it is from now on.
    mutating func repaired(_ name: [UInt8]) -> FileName? {
        for base in Self.candidates(name) {
            for number in 1...Self.attempts {
                let text = number == 1 ? base : base + Array("~\(number)".utf8)
                guard let result = try? FileName(text) else { break }
                if taken.insert(result.folded).inserted { return result }
            }
        }
        return nil
    }

    private static let attempts = 100_000
    private static let digits = Array("0123456789ABCDEF".utf8)

    /// Less and less of the name as it was.
    private static func candidates(_ name: [UInt8]) -> [[UInt8]] {
        func escaped(_ name: [UInt8], where isBad: (Int, UInt8) -> Bool) -> [UInt8] {
            let text = name.enumerated().flatMap { index, byte in
                isBad(index, byte)
                    ? [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]] : [byte]
            }
            guard text.count > FileName.byteLimit - 10 else { return text }
            // Names that begin alike are told apart by all of their bytes (FNV-1a).
            let hash = name.reduce(0xCBF2_9CE4_8422_2325 as UInt64) {
                ($0 ^ UInt64($1)) &* 0x100_0000_01B3
            }
            return Array(text.prefix(longest)) + Array("%\(String(hash, radix: 16))".utf8)
        }
        func isControl(_ byte: UInt8) -> Bool {
            byte < 0x20 || byte == 0x7F || [0x2F, 0x5C, 0x3A].contains(byte)
        }
        let last = name.count - 1
        func isEnd(_ index: Int, _ byte: UInt8) -> Bool {
            index == last && (byte == 0x20 || byte == 0x2E)
        }
        return [
            name,
            escaped(name) { isControl($1) || isEnd($0, $1) },
            escaped(name) { isControl($1) || isEnd($0, $1) || $1 >= 0x80 },
            escaped(name) { isControl($1) || isEnd($0, $1) || $1 >= 0x80 || $0 == 0 },
        ]
    }
}
