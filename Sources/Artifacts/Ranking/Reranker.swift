public import Objects
public import Storage

/// Reads a question and a passage together, and says how well the passage answers the question.
public protocol Reranker: Sendable {
    /// How well each passage answers a question, in order: the higher the better. Scores are comparable among the
    /// passages of one question only, and may have any sign.
    func scores(of passages: [String], for question: String, threads: Int) -> [Float]
}

/// Opens rerankers of one kind.
public protocol RerankerProvider: Sendable {
    /// Opens the reranker in a model snapshot.
    ///
    /// - Throws: What explains why this program cannot run it.
    func open(
        _ model: ObjectID, in source: any ObjectSource
    ) throws(RerankerError) -> any Reranker
}

/// Why a model cannot be used as a reranker.
public struct RerankerError: Diagnosable, Hashable {
    /// The model snapshot.
    public let model: ObjectID
    /// What is wrong with it, as a sentence without its end.
    public let reason: String
    /// See ``Diagnosable``.
    public let fault: Fault
    /// See ``Diagnosable``.
    public let remedy: String?

    /// Explains a failure.
    public init(_ model: ObjectID, _ reason: String, _ fault: Fault, remedy: String?) {
        self.model = model
        self.reason = reason
        self.fault = fault
        self.remedy = remedy
    }

    /// See ``Diagnosable``.
    public var message: String { "the reranker \(model.short) cannot be used: \(reason)" }
}

/// Reorders the first passages that a ranker found by the scores of a reranker.
public struct Reranking: Sendable {
    /// The model snapshot of the reranker.
    public let model: ObjectID
    /// What scores the passages.
    public let reranker: any Reranker
    /// The number of passages that it scores.
    public let candidates: Int

    /// The valid values of ``candidates``.
    public static let candidateRange = 1...1000
    /// The number of passages unless the user chooses another.
    public static let usualCandidates = 50
    /// The number of passages that a thread scores between two looks at the deadline.
    private static let passagesAtOnce = 4

    /// Makes a reranking.
    public init(_ reranker: any Reranker, of model: ObjectID, candidates: Int = usualCandidates) {
        precondition(Self.candidateRange.contains(candidates), "the number is in range")
        self.reranker = reranker
        self.model = model
        self.candidates = candidates
    }

    /// The passages with the first ``candidates`` in the order of the reranker's scores; the others follow in the order
    /// that they have. Equal scores keep their order, and the first ones are spread over sections and documents as
    /// ``HybridRetrieval/order(_:places:perDocument:count:)`` does.
    ///
    /// The reranker reads a passage with its title and headings, as embedders do.
    ///
    /// - Parameters:
    ///   - perDocument: The most chunks of one document that precede chunks of others; 0 for no limit.
    ///   - deadline: When to give up; nil for never.
    /// - Returns: Nil when the deadline has ended first.
    public func reordered(
        _ ranked: [HybridRetrieval.RankedCandidate], for question: String, perDocument: Int = 0,
        threads: Int, by deadline: Deadline? = nil
    ) -> [HybridRetrieval.RankedCandidate]? {
        var first = Array(ranked.prefix(candidates))
        let group = Self.passagesAtOnce * max(1, threads)
        for start in stride(from: 0, to: first.count, by: group) {
            if let deadline, deadline.hasEnded { return nil }
            let range = start..<min(start + group, first.count)
            let scores = reranker.scores(
                of: first[range].map(\.row.embeddingText), for: question, threads: threads)
            precondition(scores.count == range.count, "every passage has a score")
            for (index, score) in zip(range, scores) { first[index].rerank = Self.finite(score) }
        }
        let order = HybridRetrieval.order(
            first.map { $0.rerank ?? 0 }, places: first.map { RowPlace($0.row) },
            perDocument: perDocument)
        return order.map { first[$0] } + ranked.dropFirst(candidates)
    }

    /// The nearest finite number; the least one for what is no number, because damaged weights must not lead an answer,
    /// and JSON has no such numbers.
    private static func finite(_ score: Float) -> Double {
        let greatest = Float.greatestFiniteMagnitude
        return score.isNaN ? -Double(greatest) : Double(min(max(score, -greatest), greatest))
    }
}
