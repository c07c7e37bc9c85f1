public import Objects

/// A moment as a person writes it in `@{...}`. Everything is Universal Time.
public enum RevisionTime: Hashable, Sendable, CustomStringConvertible {
    /// `2026-08-01`, its first moment; or `2026-08-01T09:30`, with or without seconds and `Z`.
    case moment(Timestamp)
    /// `now`
    case now
    /// `today`: the last midnight.
    case today
    /// `yesterday`: 24 hours ago.
    case yesterday
    /// `3 days ago`
    case ago(Int, Unit)

    /// A unit of time.
    public enum Unit: String, CaseIterable, Sendable {
        /// 1 s.
        case second
        /// 60 s.
        case minute
        /// 60 minutes.
        case hour
        /// 24 hours.
        case day
        /// 7 days.
        case week

        var milliseconds: Int {
            switch self {
            case .second: 1000
            case .minute: 60_000
            case .hour: 3_600_000
            case .day: 86_400_000
            case .week: 604_800_000
            }
        }
    }

    /// Reads what stands in `@{...}`, or gives nil.
    public init?(_ text: String) { self.init(Array(text.utf8)) }

    /// The same from bytes, which may be anything.
    init?(_ bytes: [UInt8]) {
        if let moment = Timestamp(reading: bytes) {
            self = .moment(moment)
            return
        }
        let words = bytes.split(separator: 0x20).map { String(decoding: $0, as: UTF8.self) }
        switch words.count {
        case 1 where words[0] == "now": self = .now
        case 1 where words[0] == "today": self = .today
        case 1 where words[0] == "yesterday": self = .yesterday
        case 3 where words[2] == "ago":
            guard let count = LogFile.number(words[0].utf8),
                let unit = Unit.allCases.first(where: {
                    words[1] == $0.rawValue || words[1] == $0.rawValue + "s"
                })
            else { return nil }
            self = .ago(count, unit)
        default: return nil
        }
    }

    /// The moment itself, for somebody whose clock shows `now`; before the year 0 there is none.
    public func resolved(now: Timestamp) -> Timestamp? {
        switch self {
        case .moment(let moment): return moment
        case .now: return now
        case .today:
            let day = Unit.day.milliseconds
            let remainder = now.milliseconds % day
            return Timestamp(
                milliseconds: now.milliseconds - (remainder < 0 ? remainder + day : remainder))
        case .yesterday:
            return Timestamp(milliseconds: now.milliseconds - Unit.day.milliseconds)
        case .ago(let count, let unit):
            let (span, overflow) = count.multipliedReportingOverflow(by: unit.milliseconds)
            return overflow ? nil : Timestamp(milliseconds: now.milliseconds - span)
        }
    }

    /// The text that reads as this moment.
    public var description: String {
        switch self {
        case .moment(let moment): moment.description
        case .now: "now"
        case .today: "today"
        case .yesterday: "yesterday"
        case .ago(let count, let unit): "\(count) \(unit.rawValue)\(count == 1 ? "" : "s") ago"
        }
    }
}
