internal import Artifacts
public import Objects
internal import TextAnalysis

/// What evaluation examples and training examples have in common: a model that saw an example while it was trained is
/// not measured by it.
public struct DatasetOverlap: Sendable {
    /// An example, as this comparison sees it.
    public struct Example: Hashable, Sendable {
        /// Where it is: a set of labels, or a file of a dataset.
        public let place: String
        /// The id of its label, or the number of its line.
        public let id: String
        /// Its question.
        public let question: String
        /// The text of the whole conversation before the answer; nil where the question is all of it.
        let conversation: String?

        /// Makes an example; `conversation` is all that the model sees, if that is more than the question.
        public init(place: String, id: String, question: String, conversation: String? = nil) {
            self.place = place
            self.id = id
            self.question = question
            self.conversation = conversation
        }
    }

    /// A training example and the evaluation example that it resembles most.
    public struct Pair: Hashable, Sendable {
        /// The example that measures.
        public let evaluation: Example
        /// The example that is trained on.
        public let training: Example
        /// The Jaccard similarity of the word 5-grams of their questions; 1 if both are the same.
        public let similarity: Double
    }

    /// Training examples with the same question, or the same conversation, as an evaluation example. Case, invisible
    /// characters, Unicode forms and white space do not count.
    public let exact: [Pair]
    /// Other training examples whose question is a near-duplicate; see ``NearDuplicates``.
    public let near: [Pair]

    /// Compares examples; takes time proportional to their number. Each training example is in one pair at most.
    public static func find(training: [Example], evaluation: [Example]) -> DatasetOverlap {
        var known: [String: Int] = [:]
        var duplicates = NearDuplicates()
        for (index, example) in evaluation.enumerated() {
            for text in example.texts where known[text] == nil { known[text] = index }
            duplicates.add(example.question)
        }
        var exact: [Pair] = []
        var near: [Pair] = []
        for example in training {
            if let equal = example.texts.lazy.compactMap({ known[$0] }).first {
                exact.append(
                    Pair(evaluation: evaluation[equal], training: example, similarity: 1))
            } else if let match = duplicates.matches(example.question).first {
                near.append(
                    Pair(
                        evaluation: evaluation[match.index], training: example,
                        similarity: match.similarity))
            }
        }
        return DatasetOverlap(exact: exact, near: near)
    }

    /// The number of pairs that messages show; JSON has all.
    static let shown = 10

    /// Some pairs as lines of text, and the number of further ones.
    static func lines(_ pairs: [Pair]) -> [String] {
        pairs.prefix(shown).map(\.text)
            + (pairs.count > shown ? ["and \(pairs.count - shown) more; --json lists all"] : [])
    }

    /// The comparison as lines of text, with some of the pairs.
    public var lines: [String] {
        let title = "\(exact.count) training examples in both, \(near.count) near-duplicates"
        return [title] + Self.lines(exact + near).map { "  \($0)" }
    }

    /// The comparison as JSON: lists `exact` and `near`.
    public var json: JSON {
        ["exact": .array(exact.map(\.json)), "near": .array(near.map(\.json))]
    }
}

extension DatasetOverlap.Example {
    /// The forms in which it equals another example.
    fileprivate var texts: [String] {
        ([question] + [conversation].compactMap(\.self)).map(MatchedText.of).filter { !$0.isEmpty }
    }

    fileprivate var name: String { "\(place) \(id)" }

    fileprivate var json: JSON {
        ["in": .string(place), "id": .string(id), "question": .string(question)]
    }
}

extension DatasetOverlap.Pair {
    /// The pair on one line.
    var text: String {
        let first = "\(evaluation.name) and \(training.name)"
        let same = MatchedText.of(evaluation.question) == MatchedText.of(training.question)
        guard !same else { return "\(first): \(Self.short(evaluation.question))" }
        return "\(first), similarity \(TrainingReport.fixed(similarity)): "
            + "\(Self.short(evaluation.question)) | \(Self.short(training.question))"
    }

    private static func short(_ text: String) -> String {
        let line = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return line.count > 80 ? line.prefix(80) + "..." : line
    }

    var json: JSON {
        [
            "evaluation": evaluation.json, "training": training.json,
            "similarity": .number(similarity),
        ]
    }
}

/// The form in which two questions are the same question.
enum MatchedText {
    /// The matched form of a text, with single spaces between its words.
    static func of(_ text: String) -> String {
        TextForm.matched(text).split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
}
