internal import Objects

/// A day or a moment in one of the forms that documents have, in the one form that rows have.
///
/// Read are ISO 8601 (`2026-01-31`, `20260131`, `2026-01-31T10:00:00+02:00`) with slashes too and a space for the `T`,
/// dates of mail (RFC 5322) and of PDF files (`D:20260131100000+02'00'`), and dates with the English name of the month. A
/// moment without a zone is one of Universal Time. What could be two days, such as `01/02/2026`, is none.
struct DateText {
    /// `2026-01-31` where no time of day is given, else `2026-01-31T08:00:00Z`, in Universal Time to the second.
    ///
    /// These are in the order of time when they are in the order of their bytes.
    let canonical: String

    /// Longer texts are no dates.
    private static let byteLimit = 80

    /// Reads a date; nil for anything that is none.
    init?(_ text: String) {
        guard text.utf8.count <= Self.byteLimit else { return nil }
        var scanner = DateScanner(text)
        guard let found = scanner.numeric() ?? scanner.named() else { return nil }
        self.init(found)
    }

    /// Reads a number: a day as `20260131`, else the seconds since 1970, or milliseconds where they are too many for
    /// seconds.
    init?(_ number: Double) {
        guard number.magnitude < 1e16, let whole = Int(exactly: number.rounded(.down)) else {
            return nil
        }
        if whole.magnitude < 100_000_000 {
            guard Double(whole) == number, whole >= 1000_01_01 else { return nil }
            self.init(
                DateScanner.Found(year: whole / 10_000, month: whole / 100 % 100, day: whole % 100))
            return
        }
        let milliseconds = whole.magnitude < 100_000_000_000 ? whole * 1000 : whole
        guard let moment = Timestamp(milliseconds: milliseconds) else { return nil }
        self.init(moment)
    }

    /// A moment.
    init(_ moment: Timestamp) { self.init(canonical: moment.description.prefix(19) + "Z") }

    private init(canonical: String) { self.canonical = canonical }

    private init?(_ found: DateScanner.Found) {
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
