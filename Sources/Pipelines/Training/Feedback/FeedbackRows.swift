internal import Artifacts
internal import Objects
internal import Storage

/// Feedback on an answer whose record is known, without the parts that training does not use.
struct AnswerFeedback: Sendable {
    let id: String
    let time: Timestamp
    let answerID: String
    /// The question, self-contained.
    let question: String
    /// The conversation that the answer continues: the rendered prompt, or the question alone if no language model
    /// answered.
    let prompt: [ChatMessage]
    let answer: String
    let rating: Feedback.Rating?
    let better: String?
    /// The key of the row that the answer should have cited.
    let passage: String?
    /// The keys of the rows that were shown, best first.
    let shown: [String]
    let release: ObjectID?
    let features: ObjectID

    /// Takes what training uses; nil without the answer's record.
    init?(_ feedback: Feedback) {
        guard let answer = feedback.answer else { return nil }
        id = feedback.id
        time = feedback.time
        answerID = feedback.answerID
        question = answer.searched
        let sent = answer.prompt?.messages ?? []
        // A declined answer has a prompt of no messages.
        prompt = sent.isEmpty ? [ChatMessage(.user, answer.searched)] : sent
        self.answer = answer.answer
        rating = feedback.rating
        better = feedback.better.flatMap { $0.isEmpty ? nil : $0 }
        passage = feedback.passage
        shown = answer.passages.map(\.key)
        release = answer.versions.release
        features = answer.versions.features
    }

    /// What the answer should have been: the better one, or the answer itself if it was rated good.
    var target: String? {
        let text = better ?? (rating == .good ? answer : nil)
        return text.flatMap { $0.isEmpty ? nil : $0 }
    }
}

/// The feedback in a features snapshot, and the rows that hold none that training can use.
struct FeedbackRows: Sendable {
    /// The snapshot.
    let snapshot: ObjectID
    /// The number of rows.
    private(set) var count = 0
    /// The feedback, in order of ids.
    private(set) var all: [AnswerFeedback] = []
    /// The rows without usable feedback.
    private(set) var unused: [UnusedFeedback] = []

    /// Reads a snapshot that a source of feedback made.
    ///
    /// - Throws: `notFeatures`, `objects`.
    static func read(
        _ id: ObjectID, name: String, in source: some ObjectSource
    ) throws(TrainingError) -> FeedbackRows {
        let snapshot = try wrapping(Snapshot(id, in: source), as: TrainingError.objects)
        guard snapshot.kind == .features, let table = snapshot.content.table else {
            throw .notFeatures(name: name, reason: "it is a snapshot of kind \(snapshot.kind)")
        }
        return try wrapping(as: TrainingError.objects) { () throws(ObjectError) in
            var rows = FeedbackRows(snapshot: id)
            var cursor = TableCursor(table, in: source)
            while let row = try cursor.next() { rows.add(row) }
            rows.all.sort { $0.id.utf8.lexicographicallyPrecedes($1.id.utf8) }
            return rows
        }
    }

    private init(snapshot: ObjectID) { self.snapshot = snapshot }

    private mutating func add(_ row: TableRow) {
        count += 1
        guard let record = row.attributes[Feedback.recordMember]?.object,
            let feedback = try? Feedback(record)
        else {
            unused.append(UnusedFeedback(id: row.key, use: nil, reason: .notFeedback))
            return
        }
        guard let usable = AnswerFeedback(feedback) else {
            unused.append(UnusedFeedback(id: feedback.id, use: nil, reason: .noRecord))
            return
        }
        all.append(usable)
    }
}

/// Feedback that a use of it leaves out.
public struct UnusedFeedback: Hashable, Sendable {
    /// What feedback is used for.
    public enum Use: String, CaseIterable, Sendable {
        /// Examples of good answers for supervised fine-tuning.
        case supervised = "sft"
        /// Pairs of answers for preference optimisation.
        case preference = "dpo"
        /// Questions with the passage that answers them, for the ranker.
        case ranker
    }

    /// Why feedback is not used.
    public enum Reason: String, CaseIterable, Sendable {
        /// The row holds no feedback.
        case notFeedback = "not a row of feedback"
        /// The answer's record is missing.
        case noRecord = "no record of the answer"
        /// Nothing says what the answer should have been.
        case notRated = "neither rated nor corrected"
        /// The answer is bad, and no better one is known.
        case noBetter = "bad without a better answer"
        /// People disagree on the answer.
        case contradictory = "rated both good and bad"
        /// The answer has no text.
        case noText = "an answer without text"
        /// Other feedback gives the same example.
        case repeated = "the same as another example"
        /// The better answer is the bad one.
        case unchanged = "the better answer is the bad one"
        /// The features to train on do not have the passage.
        case passageMissing = "a passage that is not in the features"
        /// The question has no words.
        case noWords = "a question without words"
    }

    /// The feedback's id, or the key of a row without feedback.
    public let id: String
    /// The use; nil for all.
    public let use: Use?
    /// The reason.
    public let reason: Reason

    init(id: String, use: Use?, reason: Reason) {
        self.id = id
        self.use = use
        self.reason = reason
    }

    var json: JSON {
        [
            "id": .string(id), "use": use.map { .string($0.rawValue) } ?? .null,
            "reason": .string(reason.rawValue),
        ]
    }
}
