internal import Objects

/// A section of a document.
public struct SectionLabel: Hashable, Sendable {
    /// The path of the document below the source folder.
    public var document: String
    /// The anchor of the section.
    public var section: String

    /// Makes a label.
    public init(document: String, section: String) {
        self.document = document
        self.section = section
    }
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
