internal import Artifacts
internal import Objects
internal import Storage

/// A question with its candidates and their signals.
struct PreparedQuestion: Sendable {
    /// The rows, in the order of the signals.
    let rows: [Int]
    /// The unscaled signals.
    let signals: CandidateSignals
    /// The section of each row, in the order of the signals.
    let places: [RowPlace]
    /// The evidence on whether the candidates answer the question.
    let evidence: [Double]

    /// The indices of the candidates whose rows are in `wanted`.
    func positions(of wanted: [Int]) -> [Int] {
        let wanted = Set(wanted)
        return rows.indices.filter { wanted.contains(rows[$0]) }
    }
}

/// Finds candidates for questions and computes their signals, many questions at a time.
struct CandidatePool: Sendable {
    /// A question, and rows that become candidates even if retrieval misses them.
    struct Request: Sendable {
        let question: String
        let added: [Int]
    }

    let features: TrainingFeatures
    let ranker: Ranker
    let threads: Int

    /// Prepares questions; the result does not depend on the number of threads.
    func prepare(_ requests: [Request]) throws(TrainingError) -> [PreparedQuestion] {
        let queries = try wrapping(
            features.embedder.embed(requests.map(\.question), as: .query),
            as: TrainingError.embedding)
        let retrieval = HybridRetrieval(ranker, in: features.index, of: features.space)
        return try wrapping(as: TrainingError.objects) { () throws(ObjectError) in
            let nearest =
                ranker.retrieval.mode == .lexical
                ? requests.map { _ in [VectorMatch]() }
                : try features.index.vectors.nearest(
                    ranker.retrieval.candidates, to: queries, threads: threads)
            return try Threads.map(Array(requests.indices), threads: threads) {
                (index) throws(ObjectError) -> PreparedQuestion in
                let question = Question(requests[index].question, of: features.index.words)
                let found = try retrieval.candidates(
                    question, vector: queries[index], nearest: nearest[index],
                    adding: requests[index].added, threads: 1)
                let judged = try retrieval.judge(
                    question, found, in: features.source, threads: 1)
                return PreparedQuestion(
                    rows: found.map(\.row), signals: judged.signals,
                    places: judged.places, evidence: judged.evidence)
            }
        }
    }
}
