internal import Artifacts
internal import Objects

/// A question with its candidates and their features.
struct PreparedQuestion: Sendable {
    /// The rows, in the order of the features.
    let rows: [Int]
    /// The unscaled features.
    let features: CandidateFeatures

    /// Where some rows are among the candidates.
    func positions(of wanted: [Int]) -> [Int] {
        let wanted = Set(wanted)
        return rows.indices.filter { wanted.contains(rows[$0]) }
    }
}

/// Finds candidates for questions and computes their features, many questions at a time.
struct CandidatePool: Sendable {
    /// A question, and rows that become candidates even when retrieval does not find them.
    struct Request: Sendable {
        let question: String
        let added: [Int]
    }

    let features: TrainingFeatures
    let candidates: Int
    let threads: Int

    func prepare(_ requests: [Request]) throws(TrainingError) -> [PreparedQuestion] {
        let matches = try find(requests)
        let passages = try Wrapping.objects { () throws(ObjectError) in
            try features.passages(at: Set(matches.joined().map(\.row)))
        }
        let statistics = features.statistics
        return Threads.map(requests.count, threads: threads) { index in
            let found = matches[index]
            return PreparedQuestion(
                rows: found.map(\.row),
                features: CandidateFeatures(
                    QuestionText(requests[index].question, statistics: statistics),
                    passages: found.compactMap { passages[$0.row] },
                    cosines: found.map(\.similarity)))
        }
    }

    private func find(_ requests: [Request]) throws(TrainingError) -> [[VectorMatch]] {
        let queries = try Wrapping.embedding { () throws(EmbeddingError) in
            try features.embedder.embed(requests.map(\.question), as: .query)
        }
        let vectors = features.index.vectors
        return try Wrapping.objects { () throws(ObjectError) in
            var found = try vectors.nearest(candidates, to: queries, threads: threads)
            for (index, request) in requests.enumerated() {
                let rows = Set(found[index].map(\.row))
                for row in request.added where !rows.contains(row) {
                    found[index].append(try vectors.match(row, to: queries[index]))
                }
            }
            return found
        }
    }
}
