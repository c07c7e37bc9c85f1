public import Objects
internal import Storage

extension HybridRetrieval {
    /// The chunks found for a question.
    public struct Found: Sendable {
        /// The prepared question.
        public let question: Question
        /// The quoted phrases of the question.
        public let phrases: QuotedPhrases
        /// Whether every chunk contains a quoted phrase.
        public let hasPhrase: Bool
        /// The quoted phrases that no row contains together with the others; the search did not demand them.
        public let missingPhrases: [String]
        /// Their share of the question, from 0 to 1.
        public let missingShare: Double
        /// The candidates, best first.
        public let ranked: [RankedCandidate]
        /// The evidence on whether they answer the question, in the order of ``AnsweringRule/Evidence``.
        public let evidence: [Double]
    }

    /// Finds and ranks the chunks for a question.
    ///
    /// - Parameters:
    ///   - vector: The question's vector.
    ///   - count: The number of chunks to return.
    ///   - set: The rows to search; nil for all.
    ///   - nearest: Finds the nearest rows among some in another way than by comparing all; returns nil to compare all.
    /// - Throws: `malformed` when a row is not a features row; rethrows read errors.
    public func find(
        _ text: String, vector: [Float], count: Int, among set: RowSet? = nil,
        in source: some ObjectSource, threads: Int = Threads.available,
        nearest: (RowSet?) throws(ObjectError) -> [VectorMatch]? = { _ in nil }
    ) throws(ObjectError) -> Found {
        let phrases = QuotedPhrases(in: text)
        let occurrence = try phrases.occurrence(
            in: index, among: set, source: source, threads: threads)
        let among = occurrence.rows ?? set
        let question = Question(text, of: index.words)
        let missing = occurrence.missing.reduce(into: WordSet()) {
            $0.formUnion(question.words(foundIn: $1))
        }
        let candidates = try candidates(
            question, vector: vector, nearest: try nearest(among), among: among, threads: threads)
        let judged = try judge(
            question, candidates, without: missing, in: source, threads: threads)
        return Found(
            question: question, phrases: phrases, hasPhrase: occurrence.rows != nil,
            missingPhrases: occurrence.missing, missingShare: question.share(of: missing),
            ranked: rank(candidates, judged, count: count), evidence: judged.evidence)
    }
}

extension Ranker {
    /// Reads the ranker of a model snapshot.
    ///
    /// - Throws: `malformed` when the snapshot is not one of a ranker; rethrows read errors.
    public init(
        _ id: ObjectID, in source: some ObjectSource
    ) throws(ObjectError) {
        let snapshot = try Snapshot(id, in: source)
        guard snapshot.kind == .model, case .tree(let tree, _, _) = snapshot.content else {
            throw .malformed(id, as: "ranker", reason: "it is not a model", offset: nil)
        }
        func file(_ name: String) throws(ObjectError) -> [UInt8] {
            guard let path = try? RelativePath(name),
                let entry = try TreeReader(source).entry(at: path, in: tree)
            else {
                throw .malformed(id, as: "ranker", reason: "it has no file \(name)", offset: nil)
            }
            return try source.read(entry.id, limit: Self.fileLimit)
        }
        try self.init(
            tensors: try file(Self.tensorsName), config: try file(Self.configName))
    }
}
