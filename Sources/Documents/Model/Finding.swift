/// Something of a document that is not in its text as it stood there.
public struct Finding: Hashable, Sendable {
    /// What became of it.
    public enum Fate: String, Hashable, Sendable, CaseIterable {
        /// It is not in the text.
        case leftOut = "left-out"
        /// It is there up to a limit.
        case cut
        /// Something else stands in its place.
        case replaced
        /// It was read as what it probably is.
        case guessed
        /// It is there as it stands, or not at all, because its meaning is not known.
        case notUnderstood = "not-understood"

        /// The fate in words.
        public var phrase: String {
            switch self {
            case .leftOut: "left out"
            case .cut: "cut"
            case .replaced: "replaced"
            case .guessed: "guessed"
            case .notUnderstood: "not understood"
            }
        }
    }

    /// What became of it.
    public let fate: Fate
    /// What it was, in a word or two that do not change: `navigation`, `image`, `encoding`.
    public let reason: String
    /// How much of it there was.
    public private(set) var count: Int
    /// What is counted, in the plural: `words`, `images`.
    public let unit: String
    /// What a person should know of it besides.
    public let detail: String?

    /// Makes a finding.
    public init(
        _ fate: Fate, _ reason: String, _ count: Int, _ unit: String, detail: String? = nil
    ) {
        self.fate = fate
        self.reason = reason
        self.count = count
        self.unit = unit
        self.detail = detail
    }

    /// The finding as the end of a sentence that begins with the document.
    public var sentence: String {
        let unit =
            count == 1 && unit.utf8.last == UInt8(ascii: "s") ? String(unit.dropLast()) : unit
        return "\(fate.phrase): \(count) \(unit) (\(reason)\(detail.map { ": \($0)" } ?? ""))"
    }

    /// Whether both are about the same, so that their counts may be added.
    private func isAlike(_ other: Finding) -> Bool {
        fate == other.fate && reason == other.reason && unit == other.unit
            && detail == other.detail
    }

    /// Findings in the order of their first occurrence, those that are alike as one.
    struct List: Sendable, Equatable {
        /// The findings.
        private(set) var all: [Finding] = []

        /// More details than this tell nothing new: further ones are counted without.
        private static let limit = 100

        /// Adds one, unless nothing is counted.
        mutating func add(
            _ fate: Fate, _ reason: String, _ count: Int = 1, _ unit: String,
            detail: String? = nil
        ) {
            add(Finding(fate, reason, count, unit, detail: detail))
        }

        /// Adds one, unless nothing is counted.
        mutating func add(_ finding: Finding) {
            guard finding.count > 0 else { return }
            if let index = all.firstIndex(where: { $0.isAlike(finding) }) {
                all[index].count += finding.count
            } else if all.count >= Self.limit, finding.detail != nil {
                add(finding.fate, finding.reason, finding.count, finding.unit)
            } else {
                all.append(finding)
            }
        }

        /// Adds all of another list.
        mutating func add(_ other: List) { for finding in other.all { add(finding) } }
    }
}
