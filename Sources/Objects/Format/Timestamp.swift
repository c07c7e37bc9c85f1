/// A moment in UTC, to the millisecond.
public struct Timestamp: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Milliseconds since 1970-01-01T00:00:00Z, without leap seconds.
    public let milliseconds: Int

    /// The years that four digits can express.
    private static let range = -62_167_219_200_000..<253_402_300_800_000

    /// 1970-01-01T00:00:00.000Z.
    public static let epoch = Timestamp(known: 0)

    private init(known milliseconds: Int) { self.milliseconds = milliseconds }

    /// Creates a moment; nil outside the years 0 to 9999.
    public init?(milliseconds: Int) {
        guard Self.range.contains(milliseconds) else { return nil }
        self.milliseconds = milliseconds
    }

    /// Parses `2026-08-01T09:30:00.250Z`, the exact form of ``description``; nil for anything else.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count == 24 else { return nil }
        func field(_ range: Range<Int>) -> Int? {
            var value = 0
            for byte in bytes[range] {
                guard case 0x30...0x39 = byte else { return nil }
                value = value * 10 + Int(byte - 0x30)
            }
            return value
        }
        guard let year = field(0..<4), let month = field(5..<7), let day = field(8..<10),
            let hour = field(11..<13), let minute = field(14..<16), let second = field(17..<19),
            let fraction = field(20..<23),
            let moment = Timestamp(
                year: year, month: month, day: day,
                milliseconds: ((hour * 60 + minute) * 60 + second) * 1000 + fraction),
            moment.description.utf8.elementsEqual(bytes)
        else { return nil }
        self = moment
    }

    /// Creates a moment from a Gregorian date and the milliseconds since its midnight; nil when there is no such
    /// date.
    public init?(year: Int, month: Int, day: Int, milliseconds: Int = 0) {
        guard (0...9999).contains(year), (1...12).contains(month),
            (1...Self.days(inMonth: month, of: year)).contains(day)
        else { return nil }
        self.init(
            milliseconds: Self.dayNumber(year: year, month: month, day: day) * 86_400_000
                + milliseconds)
    }

    /// The stored form, from ISO 8601: `2026-08-01T09:30:00.250Z`.
    public var description: String {
        let date = civilDate
        func padded(_ value: Int, _ width: Int) -> String {
            let text = String(value)
            return String(repeating: "0", count: max(0, width - text.count)) + text
        }
        let time = milliseconds - Self.floorDivide(milliseconds, 86_400_000) * 86_400_000
        return "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))T"
            + "\(padded(time / 3_600_000, 2)):\(padded(time / 60_000 % 60, 2)):"
            + "\(padded(time / 1000 % 60, 2)).\(padded(time % 1000, 3))Z"
    }

    /// A short form for people: `2026-08-01 09:30`.
    public var minuteDescription: String {
        let text = description
        return "\(text.prefix(10)) \(text.dropFirst(11).prefix(5))"
    }

    /// Orders moments by time.
    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.milliseconds < right.milliseconds
    }

    // Conversion between days and civil dates: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms".

    private static func dayNumber(year: Int, month: Int, day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = floorDivide(shifted, 400)
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    private var civilDate: (year: Int, month: Int, day: Int) {
        let days = Self.floorDivide(milliseconds, 86_400_000) + 719_468
        let era = Self.floorDivide(days, 146_097)
        let dayOfEra = days - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (
            yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month,
            dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        )
    }

    private static func days(inMonth month: Int, of year: Int) -> Int {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
    }

    private static func floorDivide(_ value: Int, _ divisor: Int) -> Int {
        value >= 0 ? value / divisor : -((-value + divisor - 1) / divisor)
    }
}

extension Timestamp {
    /// Parses a moment as people write it: an ISO 8601 date, which means its midnight, or a date with a time to the
    /// minute, second or millisecond, with or without `Z`. All times are UTC. Nil for anything else.
    public init?(reading text: String) { self.init(reading: Array(text.utf8)) }

    /// Parses a moment as people write it, from any bytes.
    public init?(reading bytes: [UInt8]) {
        var rest = bytes[...]
        func digits(_ count: Int) -> Int? {
            guard rest.count >= count else { return nil }
            var value = 0
            for byte in rest.prefix(count) {
                guard case 0x30...0x39 = byte else { return nil }
                value = value * 10 + Int(byte - 0x30)
            }
            rest = rest.dropFirst(count)
            return value
        }
        func take(_ separators: String) -> Bool {
            guard let byte = rest.first, separators.utf8.contains(byte) else { return false }
            rest = rest.dropFirst()
            return true
        }
        guard let year = digits(4), take("-"), let month = digits(2), take("-"),
            let day = digits(2)
        else { return nil }
        if rest.isEmpty {
            self.init(year: year, month: month, day: day)
            return
        }
        guard take("T "), let hour = digits(2), hour < 24, take(":"), let minute = digits(2),
            minute < 60
        else { return nil }
        var milliseconds = (hour * 60 + minute) * 60_000
        if take(":") {
            guard let second = digits(2), second < 60 else { return nil }
            milliseconds += second * 1000
            if take(".") {
                guard let fraction = digits(3) else { return nil }
                milliseconds += fraction
            }
        }
        _ = take("Z")
        guard rest.isEmpty else { return nil }
        self.init(year: year, month: month, day: day, milliseconds: milliseconds)
    }
}

/// A span of time as people write it: `90s`, `30m`, `12h`, `7d`, `2w`.
public struct TimeSpan: Hashable, Sendable, CustomStringConvertible {
    /// The length in milliseconds, a whole number of seconds.
    public let milliseconds: Int

    /// The longest span in seconds: a hundred years.
    private static let limit = 36_525 * 86_400
    private static let units: [(letter: UInt8, seconds: Int)] = [
        (UInt8(ascii: "w"), 604_800), (UInt8(ascii: "d"), 86_400), (UInt8(ascii: "h"), 3600),
        (UInt8(ascii: "m"), 60), (UInt8(ascii: "s"), 1),
    ]

    /// Parses a whole number and a unit; nil for anything else and for more than a hundred years.
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

    /// Creates the longest span of whole seconds within this many milliseconds, from 0 to a hundred years.
    public init(clamping milliseconds: Int) {
        self.milliseconds = min(max(0, milliseconds / 1000), Self.limit) * 1000
    }

    /// The span in its largest whole unit, weeks excluded: `30d`, `36h`, `0s`.
    public var description: String {
        let seconds = milliseconds / 1000
        for (letter, size) in Self.units.dropFirst()
        where seconds > 0 && seconds.isMultiple(of: size) {
            return "\(seconds / size)\(Character(UnicodeScalar(letter)))"
        }
        return "\(seconds)s"
    }
}
