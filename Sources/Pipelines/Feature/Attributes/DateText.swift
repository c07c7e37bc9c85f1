internal import Objects

/// A date or a moment: parsed from the formats that documents use, stored in a single one.
///
/// Accepts ISO 8601 (`2026-01-31`, `20260131`, `2026-01-31T10:00:00+02:00`), also with slashes or dots, and with a
/// space in place of `T`; the dates of mail (RFC 5322) and of PDF files (`D:20260131100000+02'00'`); and dates with an
/// English month name. A moment without a zone is in UTC. Rejects ambiguous dates such as `01/02/2026`.
struct DateText {
    /// `2026-01-31` for a date without a time, otherwise `2026-01-31T08:00:00Z`: UTC, to the second.
    ///
    /// The order of the bytes is the order of time.
    let canonical: String

    /// The maximum number of bytes of a date.
    private static let byteLimit = 80

    /// Parses a date; nil for any other text.
    init?(_ text: String) {
        guard text.utf8.count <= Self.byteLimit else { return nil }
        var scanner = DateScanner(text)
        guard let found = scanner.numeric() ?? scanner.named() else { return nil }
        self.init(found)
    }

    /// Converts a number: a date as in `20260131`, otherwise seconds since 1970, or milliseconds if the number is too
    /// large for seconds.
    init?(_ number: Double) {
        guard number.magnitude < 1e16, let whole = Int(exactly: number.rounded(.down)) else {
            return nil
        }
        if whole.magnitude < 100_000_000 {
            guard Double(whole) == number, whole >= 1000_01_01 else { return nil }
            self.init(
                DateScanner.Fields(year: whole / 10_000, month: whole / 100 % 100, day: whole % 100)
            )
            return
        }
        let milliseconds = whole.magnitude < 100_000_000_000 ? whole * 1000 : whole
        guard let moment = Timestamp(milliseconds: milliseconds) else { return nil }
        self.init(moment)
    }

    /// Formats a moment.
    init(_ moment: Timestamp) { self.init(canonical: moment.description.prefix(19) + "Z") }

    private init(canonical: String) { self.canonical = canonical }

    private init?(_ found: DateScanner.Fields) {
        guard let day = Timestamp(year: found.year, month: found.month, day: found.day) else {
            return nil
        }
        guard let time = found.time else {
            self.init(canonical: String(day.description.prefix(10)))
            return
        }
        let milliseconds = day.milliseconds + (time.seconds - time.offset) * 1000
        guard let moment = Timestamp(milliseconds: milliseconds) else { return nil }
        self.init(moment)
    }
}

/// Parses a date from left to right.
struct DateScanner {
    /// The parsed fields; the date need not exist.
    struct Fields {
        var year: Int
        var month: Int
        var day: Int
        var time: Time?
    }

    /// A time of day.
    struct Time {
        /// Seconds since midnight.
        var seconds: Int
        /// The zone's offset from UTC in seconds; positive east of Greenwich.
        var offset = 0
    }

    private let bytes: [UInt8]
    private var at = 0

    init(_ text: String) {
        bytes = text.utf8.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
    }

    // MARK: The two forms

    /// Parses a date that begins with the year; after nil, another parse must start over.
    mutating func numeric() -> Fields? {
        at = 0
        skipSpace()
        _ = take("d:")
        guard let year = number(4...4) else { return nil }
        var found: Fields
        if let separator = current, "-/.".utf8.contains(separator) {
            at += 1
            guard let month = number(1...2), current == separator else { return nil }
            at += 1
            guard let day = number(1...2) else { return nil }
            found = Fields(year: year, month: month, day: day)
        } else {
            guard let month = number(2...2), let day = number(2...2) else { return nil }
            found = Fields(year: year, month: month, day: day)
        }
        skipSpace()
        if isAtEnd { return found }
        // In a PDF date, the time follows the date directly.
        _ = take("t")
        skipSpace()
        guard let time = timeOfDay(), isAtEnd else { return nil }
        found.time = time
        return found
    }

    /// Parses a date with a month name, in any order of its parts.
    mutating func named() -> Fields? {
        at = 0
        var (year, month, day): (Int?, Int?, Int?)
        var time: Time?
        while true {
            skip { " ,-\t".utf8.contains($0) }
            // A parenthesised comment ends the date.
            if isAtEnd || current == UInt8(ascii: "(") { break }
            let start = at
            if let word = word() {
                if let number = Self.months.firstIndex(where: { Self.names(word, $0) }) {
                    guard month == nil else { return nil }
                    month = number + 1
                } else if time != nil {
                    at = start
                    guard let offset = zone() else { return nil }
                    time?.offset = offset
                } else if !Self.fillers.contains(where: { Self.names(word, $0) }) {
                    return nil
                }
                _ = take(".")
            } else if time == nil, let found = clock() {
                time = found
            } else if time != nil, current == UInt8(ascii: "+"), let offset = zone() {
                time?.offset = offset
            } else if let number = number(4...4) {
                // After a time and a dash, four digits are a zone such as `-0500`.
                if time != nil, year != nil, start > 0, bytes[start - 1] == UInt8(ascii: "-") {
                    time?.offset = -(number / 100 * 3600 + number % 100 * 60)
                    continue
                }
                guard year == nil else { return nil }
                year = number
            } else if let number = number(1...2) {
                guard day == nil else { return nil }
                day = number
                for ending in ["st", "nd", "rd", "th"] where take(ending) { break }
            } else {
                return nil
            }
        }
        guard let year, let month, let day else { return nil }
        return Fields(year: year, month: month, day: day, time: time)
    }

    // MARK: Times

    /// Parses a time of day and its zone, up to the end of the date.
    private mutating func timeOfDay() -> Time? {
        guard var time = clock() ?? digits() else { return nil }
        skipSpace()
        if isAtEnd { return time }
        guard let offset = zone() else { return nil }
        time.offset = offset
        // `+0000 UTC` gives the zone twice.
        skipSpace()
        return isAtEnd || zone() != nil ? time : nil
    }

    /// `10:00`, `10:00:00`, `10:00:00.25`, `9:30 pm`.
    private mutating func clock() -> Time? {
        let start = at
        guard let hour = number(1...2), take(":"), let minute = number(2...2) else {
            at = start
            return nil
        }
        let second = take(":") ? number(2...2) ?? 60 : 0
        if take(".") || take(",") { skip(Self.isDigit) }
        var time = hour
        let end = at
        skipSpace()
        if take("am") || take("a.m.") {
            guard 1...12 ~= hour else { return nil }
            time = hour % 12
        } else if take("pm") || take("p.m.") {
            guard 1...12 ~= hour else { return nil }
            time = hour % 12 + 12
        } else {
            at = end
        }
        return Self.time(time, minute, second)
    }

    /// `100000` or `1000`.
    private mutating func digits() -> Time? {
        guard let hour = number(2...2), let minute = number(2...2) else { return nil }
        return Self.time(hour, minute, number(2...2) ?? 0)
    }

    private static func time(_ hour: Int, _ minute: Int, _ second: Int) -> Time? {
        guard hour < 24, minute < 60, second < 60 else { return nil }
        return Time(seconds: hour * 3600 + minute * 60 + second)
    }

    /// The offset of a zone in seconds: `Z`, `GMT`, `+02:00`, `-0500`, `+02'00'`, `GMT+0100`, `EST`.
    private mutating func zone() -> Int? {
        let name = word()
        if let name {
            if let hours = Self.american[name] { return hours * 3600 }
            guard ["z", "utc", "gmt", "ut"].contains(name) else { return nil }
            // PDF files may repeat the zero offset after the `Z`.
            if take("00'00") || take("00") { _ = take("'") }
        }
        let isAhead = take("+")
        guard isAhead || take("-") else { return name == nil ? nil : 0 }
        guard let hours = number(1...2), hours < 24 else { return nil }
        _ = take(":") || take("'")
        let minutes = number(2...2) ?? 0
        _ = take("'")
        guard minutes < 60 else { return nil }
        return (isAhead ? 1 : -1) * (hours * 3600 + minutes * 60)
    }

    /// The zones that mail may name (RFC 5322, section 4.3).
    private static let american = [
        "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7,
    ]

    // MARK: Words

    private static let months = [
        "january", "february", "march", "april", "may", "june", "july", "august", "september",
        "october", "november", "december",
    ]

    private static let fillers = [
        "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "at", "of",
        "the", "t",
    ]

    /// Whether a word is a name, or an abbreviation of it with at least three letters.
    private static func names(_ word: String, _ name: String) -> Bool {
        word == name || word.utf8.count >= 3 && name.utf8.starts(with: word.utf8)
    }

    private mutating func word() -> String? {
        let start = at
        skip { (0x61...0x7A).contains($0) }
        return at == start ? nil : String(decoding: bytes[start..<at], as: UTF8.self)
    }

    // MARK: Bytes

    private var current: UInt8? { at < bytes.count ? bytes[at] : nil }

    private var isAtEnd: Bool { at == bytes.count }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private mutating func skip(_ isSkipped: (UInt8) -> Bool) {
        while let byte = current, isSkipped(byte) { at += 1 }
    }

    private mutating func skipSpace() { skip { $0 == 0x20 || (0x09...0x0D).contains($0) } }

    private mutating func take(_ text: String) -> Bool {
        guard bytes[at...].starts(with: text.utf8) else { return false }
        at += text.utf8.count
        return true
    }

    /// Parses a number with a count of digits within `widths`; consumes nothing if there is none.
    private mutating func number(_ widths: ClosedRange<Int>) -> Int? {
        var value = 0
        var count = 0
        while count < widths.upperBound, at + count < bytes.count, Self.isDigit(bytes[at + count]) {
            value = value * 10 + Int(bytes[at + count] - 0x30)
            count += 1
        }
        guard count >= widths.lowerBound else { return nil }
        at += count
        return value
    }
}
