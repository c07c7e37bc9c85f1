internal import Objects

/// A section of a document.
public struct SectionLabel: Hashable, Sendable {
    /// The path of the document below the source folder, as rows spell it.
    public var document: String
    /// The anchor of the section.
    public var section: String
    /// What the label says where that is not how rows spell a path: a path of the file system, or else a row's.
    public var otherwise: String?

    /// Makes a label.
    public init(document: String, section: String, otherwise: String? = nil) {
        self.document = document
        self.section = section
        self.otherwise = otherwise
    }

    /// The document as the label spells it.
    public var spelled: String { otherwise ?? document }
}

/// A question and the sections that answer it.
public struct LabelledQuestion: Hashable, Sendable {
    /// The name that decides whether it is held out.
    public var id: String
    /// The question.
    public var question: String
    /// Any of these answers it.
    public var answers: [SectionLabel]

    /// Makes a question.
    public init(id: String, question: String, answers: [SectionLabel]) {
        self.id = id
        self.question = question
        self.answers = answers
    }
}

/// A question, and which of two sections a person prefers as its answer.
public struct LabelledPreference: Hashable, Sendable {
    /// The name that decides whether it is held out.
    public var id: String
    /// The question.
    public var question: String
    /// The better section.
    public var chosen: SectionLabel
    /// The worse section.
    public var rejected: SectionLabel

    /// Makes a preference.
    public init(id: String, question: String, chosen: SectionLabel, rejected: SectionLabel) {
        self.id = id
        self.question = question
        self.chosen = chosen
        self.rejected = rejected
    }
}
