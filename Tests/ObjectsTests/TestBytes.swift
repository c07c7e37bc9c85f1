import TestSupport

/// Typical contents of stores, generated from a seed.
enum TestBytes: String, CaseIterable {
    case random, zeros, text, bfloat16, float32, counters, repeats

    func make(_ count: Int, seed: UInt64 = 7) -> [UInt8] {
        var generator = SeededGenerator(seed: seed)
        switch self {
        case .random: return generator.bytes(count)
        case .zeros: return [UInt8](repeating: 0, count: count)
        case .text:
            let words = ["the", "store", "keeps", "pieces", "of", "models", "and", "rows", "\n"]
            var result: [UInt8] = []
            while result.count < count {
                result += Array((words.randomElement(using: &generator) ?? "a").utf8) + [0x20]
            }
            return Array(result.prefix(count))
        case .bfloat16:
            return Array(
                Self.numbers(count / 2 + 1, &generator).flatMap { [$0[2], $0[3]] }.prefix(count))
        case .float32:
            return Array(Self.numbers(count / 4 + 1, &generator).flatMap { $0 }.prefix(count))
        case .counters:
            return Array(
                (0..<count / 4 + 1).flatMap { [UInt8($0 & 255), UInt8($0 >> 8 & 255), 0, 0] }
                    .prefix(count))
        case .repeats: return (0..<count).map { UInt8(truncatingIfNeeded: $0 % 1000 * 31 ^ $0 % 7) }
        }
    }

    /// Numbers around 0, like weights: uniform magnitudes with repeating exponents.
    private static func numbers(_ count: Int, _ generator: inout SeededGenerator) -> [[UInt8]] {
        (0..<count).map { _ in
            let bits = Float.random(in: -0.05...0.05, using: &generator).bitPattern
            return (0..<4).map { UInt8(truncatingIfNeeded: bits >> UInt32(8 * $0)) }
        }
    }
}
