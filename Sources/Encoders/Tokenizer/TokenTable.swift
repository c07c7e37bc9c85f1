/// A table from the bytes of tokens to numbers, which finds the longest token at a place in a text.
///
/// It hashes all beginnings of a text in one pass, and looks them up from the longest to the shortest. The seed is random,
/// so that no file can be made whose tokens collide.
struct TokenTable: Sendable {
    /// The most bytes of a token. The search at one place in a text takes at most as many steps.
    static let longestToken = 1024

    /// The bytes that a beginning of a token leaves behind: the start of a search.
    struct Prefix: Sendable {
        fileprivate let bytes: [UInt8]
        fileprivate let hash: UInt64
        /// The most bytes that follow this prefix in a token.
        fileprivate var longestRest: Int
    }

    /// Memory that searches use again.
    struct Scratch {
        fileprivate var beginnings: [(length: Int, hash: UInt64)] = []
    }

    private let seed = UInt64.random(in: 0 ... .max)
    private var bytes: [UInt8] = []
    /// Where the bytes of each token end.
    private var ends: [Int] = []
    private var values: [Int32] = []
    /// Zero for a free slot; otherwise half a hash, and the number of a token plus one.
    private var slots: [UInt64]
    private var whole = Prefix(bytes: [], hash: 0, longestRest: 0)

    /// The number of distinct tokens.
    var count: Int { values.count }

    /// An empty table with room for tokens; more make it grow.
    init(capacity: Int = 0) {
        var size = 16
        while size < 2 * capacity { size *= 2 }
        slots = Array(repeating: 0, count: size)
        ends.reserveCapacity(capacity)
        values.reserveCapacity(capacity)
        whole = Prefix(bytes: [], hash: seed, longestRest: 0)
    }

    /// Sets the value of a token.
    mutating func set(_ token: Span<UInt8>, to value: Int32) {
        let hash = Self.mixed(Self.hash(token, from: seed))
        let slot = slot(of: hash) { isToken($0, after: [], token, count: token.count) }
        if slots[slot] != 0 {
            values[number(in: slot)] = value
            return
        }
        for index in token.indices { bytes.append(token[index]) }
        ends.append(bytes.count)
        values.append(value)
        slots[slot] = hash & ~0xFFFF_FFFF | UInt64(count)
        whole.longestRest = max(whole.longestRest, token.count)
        if slots.count < 2 * count { grow() }
    }

    /// The value of a token; nil if it is not in the table.
    func value(of token: Span<UInt8>) -> Int32? {
        value(after: whole, token, count: token.count, hash: Self.hash(token, from: seed))
    }

    /// The start of searches among all tokens, or among those that begin with `bytes`.
    func prefix(_ bytes: [UInt8] = []) -> Prefix {
        guard !bytes.isEmpty else { return whole }
        var longestRest = 0
        for number in 0..<count {
            let range = range(of: number)
            if range.count > bytes.count + longestRest, self.bytes[range].starts(with: bytes) {
                longestRest = range.count - bytes.count
            }
        }
        return Prefix(
            bytes: bytes, hash: Self.hash(bytes.span, from: seed), longestRest: longestRest)
    }

    /// Finds the longest token that consists of a prefix and of at least one character of `text` from `start` on.
    ///
    /// - Returns: Its value, and the number of bytes of the text.
    func longest(
        after prefix: Prefix, in text: Span<UInt8>, from start: Int, _ scratch: inout Scratch
    ) -> (value: Int32, length: Int)? {
        let most = min(prefix.longestRest, text.count - start)
        guard most > 0 else { return nil }
        scratch.beginnings.removeAll(keepingCapacity: true)
        var hash = prefix.hash
        for length in 1...most {
            hash = Self.step(hash, text[start + length - 1])
            let isBoundary = start + length == text.count || text[start + length] & 0xC0 != 0x80
            if isBoundary { scratch.beginnings.append((length, hash)) }
        }
        let rest = text.extracting(start..<start + most)
        for (length, hash) in scratch.beginnings.reversed() {
            if let value = value(after: prefix, rest, count: length, hash: hash) {
                return (value, length)
            }
        }
        return nil
    }

    // MARK: Slots

    private func value(
        after prefix: Prefix, _ rest: Span<UInt8>, count: Int, hash: UInt64
    ) -> Int32? {
        let slot = slot(of: Self.mixed(hash)) {
            isToken($0, after: prefix.bytes, rest, count: count)
        }
        return slots[slot] == 0 ? nil : values[number(in: slot)]
    }

    /// The slot of the token with this hash for which `matches` holds; a free one if there is none.
    @inline(__always)
    private func slot(of hash: UInt64, where matches: (Int) -> Bool) -> Int {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] != 0 {
            if slots[slot] >> 32 == hash >> 32, matches(number(in: slot)) { break }
            slot = (slot + 1) & mask
        }
        return slot
    }

    @inline(__always)
    private func number(in slot: Int) -> Int {
        Int(truncatingIfNeeded: slots[slot] & 0xFFFF_FFFF) - 1
    }

    private func range(of number: Int) -> Range<Int> {
        (number == 0 ? 0 : ends[number - 1])..<ends[number]
    }

    private func isToken(
        _ number: Int, after prefix: [UInt8], _ rest: Span<UInt8>, count: Int
    ) -> Bool {
        let range = range(of: number)
        guard range.count == prefix.count + count else { return false }
        var place = range.lowerBound
        for byte in prefix {
            guard bytes[place] == byte else { return false }
            place += 1
        }
        for index in 0..<count {
            guard bytes[place] == rest[index] else { return false }
            place += 1
        }
        return true
    }

    private mutating func grow() {
        let old = slots
        slots = Array(repeating: 0, count: old.count * 2)
        for entry in old where entry != 0 {
            let range = range(of: Int(truncatingIfNeeded: entry & 0xFFFF_FFFF) - 1)
            let hash = Self.mixed(Self.hash(bytes.span.extracting(range), from: seed))
            slots[slot(of: hash) { _ in false }] = entry
        }
    }

    // MARK: Hashes

    private static func hash(_ bytes: Span<UInt8>, from seed: UInt64) -> UInt64 {
        var hash = seed
        for index in bytes.indices { hash = step(hash, bytes[index]) }
        return hash
    }

    /// One step of FNV-1a.
    @inline(__always)
    private static func step(_ hash: UInt64, _ byte: UInt8) -> UInt64 {
        (hash ^ UInt64(byte)) &* 0x100_0000_01B3
    }

    /// Spreads all bits of a hash over both of its halves.
    @inline(__always)
    private static func mixed(_ hash: UInt64) -> UInt64 {
        let product = (hash ^ hash >> 29) &* 0x9E37_79B9_7F4A_7C15
        return product ^ product >> 32
    }
}
