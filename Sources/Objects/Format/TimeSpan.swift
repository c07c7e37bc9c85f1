/// A span of time as people write it: `90s`, `30m`, `12h`, `7d`, `2w`.
public struct TimeSpan: Hashable, Sendable, CustomStringConvertible {
    /// Milliseconds: whole seconds.
    public let milliseconds: Int

    /// The longest span in seconds: a hundred years.
    private static let limit = 36_525 * 86_400
    private static let units: [(letter: UInt8, seconds: Int)] = [
        (UInt8(ascii: "w"), 604_800), (UInt8(ascii: "d"), 86_400), (UInt8(ascii: "h"), 3600),
        (UInt8(ascii: "m"), 60), (UInt8(ascii: "s"), 1),
    ]

    /// Reads a whole number and a unit; nil for anything else and for more than a hundred years.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count > 1, bytes.count < 12,
            let seconds = Self.units.first(where: { $0.letter == bytes.last })?.seconds
        else { return nil }
        var count = 0
        for digit in bytes.dropLast() {
            guard case 0x30...0x39 = digit else { return nil }
            count = count * 10 + Int(digit - 0x30)
        }
        let (product, overflow) = count.multipliedReportingOverflow(by: seconds)
        guard !overflow, product <= Self.limit else { return nil }
        milliseconds = product * 1000
    }

    /// The longest span of whole seconds that is at most so many milliseconds.
    public init(clamping milliseconds: Int) {
        self.milliseconds = min(max(0, milliseconds / 1000), Self.limit) * 1000
    }

    /// The span in the largest unit that it is a multiple of, other than weeks: `30d`, `36h`, `0s`.
    public var description: String {
        let seconds = milliseconds / 1000
        for (letter, size) in Self.units.dropFirst()
        where seconds > 0 && seconds.isMultiple(of: size) {
            return "\(seconds / size)\(Character(UnicodeScalar(letter)))"
        }
        return "\(seconds)s"
    }
}
