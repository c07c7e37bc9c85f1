public import Objects

/// Finds the rows that answer a question: exact nearest vectors first, then the policy's scores.
///
/// Training measures with it and inference answers with it, so what was measured is what answers.
public struct CandidateRetrieval: Sendable {
    /// A row and how well it answers.
    public struct Ranked: Hashable, Sendable {
        /// The index of the row.
        public let row: Int
        /// Its cosine with the question.
        public let similarity: Float
        /// Its score by the policy.
        public let score: Double
    }

    private let policy: RetrievalPolicy

    /// Retrieves by a policy.
    public init(policy: RetrievalPolicy) { self.policy = policy }

    /// The rows that are worth a score, in the order of their cosines.
    ///
    /// - Parameter set: The rows to look among; nil for all.
    /// - Throws: What reading vectors throws.
    public func candidates(
        _ query: [Float], in vectors: VectorSearch, among set: RowSet? = nil, threads: Int
    ) throws(ObjectError) -> [VectorMatch] {
        try vectors.nearest(policy.candidates, to: query, among: set, threads: threads)
    }

    /// The candidates in the order of their scores; equal scores in the order of `candidates`.
    ///
    /// - Parameter passages: The texts of `candidates`, in the same order.
    public func rank(
        _ question: String, _ candidates: [VectorMatch], passages: [PassageText]
    ) -> [Ranked] {
        let features = CandidateFeatures(
            QuestionText(question, statistics: policy.statistics), passages: passages,
            cosines: candidates.map(\.similarity))
        let scores = features.scores(policy.factors)
        return Self.order(scores).map { index in
            Ranked(
                row: candidates[index].row, similarity: candidates[index].similarity,
                score: scores[index])
        }
    }

    /// Indices by descending score; equal scores keep their order.
    public static func order(_ scores: [Double]) -> [Int] {
        scores.indices.sorted { left, right in
            scores[left] != scores[right] ? scores[left] > scores[right] : left < right
        }
    }
}
