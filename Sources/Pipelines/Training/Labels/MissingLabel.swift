internal import Objects

/// A section that a label names and that cannot be used.
public struct MissingLabel: Hashable, Sendable {
    /// The file that the label is in.
    public enum Kind: String, Sendable {
        /// A question with its answers.
        case question
        /// A preference.
        case preference
    }

    /// What kind of label it is.
    public let kind: Kind
    /// The label's id.
    public let id: String
    /// The document, as the label spells it.
    public let document: String
    /// The anchor of the section.
    public let section: String
    /// Whether the label is used all the same, for its other sections.
    public let isUsed: Bool
    /// Whether the features have the section, and a preference has it on both sides.
    public let isChosenToo: Bool

    init(
        _ kind: Kind, id: String, _ label: SectionLabel, isUsed: Bool, isChosenToo: Bool = false
    ) {
        self.kind = kind
        self.id = id
        document = label.spelled
        section = label.section
        self.isUsed = isUsed
        self.isChosenToo = isChosenToo
    }

    /// One line for people.
    public var text: String {
        "\(kind.rawValue) \(id): \(document)#\(section)"
            + (isChosenToo ? " is both chosen and rejected" : "")
            + (isUsed ? " (its other answers are used)" : "")
    }

    /// The most that are shown to people.
    static let shown = 10

    /// The first ones for people, and a count of the others.
    static func lines(_ missing: [MissingLabel]) -> [String] {
        missing.prefix(shown).map(\.text)
            + (missing.count > shown
                ? ["and \(missing.count - shown) more; --json lists all"] : [])
    }

    var json: JSON {
        [
            "kind": .string(kind.rawValue), "id": .string(id), "document": .string(document),
            "section": .string(section),
            "reason": .string(isChosenToo ? "both chosen and rejected" : "not in the features"),
            "used": .bool(isUsed),
        ]
    }
}
