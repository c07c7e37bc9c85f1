@testable import Artifacts
import Objects
import Synchronization
import Testing

/// A reranker that finds the score of a passage in its text, after the last space.
private final class NumberReranker: Reranker {
    private let asked = Mutex<[String]>([])
    private let read: @Sendable () -> Void

    init(_ read: @escaping @Sendable () -> Void = {}) { self.read = read }

    /// The passages that it was asked about, in order.
    var passages: [String] { asked.withLock { $0 } }

    func scores(of passages: [String], for question: String, threads: Int) -> [Float] {
        asked.withLock { $0 += passages }
        read()
        return passages.map { passage in
            passage.split(separator: " ").last.flatMap { Float(String($0)) } ?? .nan
        }
    }
}

@Suite("Reranking")
struct RerankingTests {
    private let model = ObjectID(of: [1].span)

    /// Chunks in ranked order; `d#s 3.5` is one of the document `d` and its section `s`, with the reranker's score 3.5.
    private func ranked(_ chunks: String...) -> [HybridRetrieval.RankedCandidate] {
        chunks.enumerated().map { index, text in
            let names = text.split(separator: " ")[0].split(separator: "#").map(String.init)
            return HybridRetrieval.RankedCandidate(
                candidate: Candidate(
                    row: index, similarity: 0, words: 0, vectorRank: nil, wordsRank: nil),
                row: FeatureRow(
                    document: names[0], title: "Title", section: names[1],
                    headings: ["Heading"], ordinal: index, text: text),
                score: Double(-index), signals: [])
        }
    }

    /// The places in the ranked order, in the order after reranking.
    private func order(
        _ chunks: [HybridRetrieval.RankedCandidate], candidates: Int = 50, perDocument: Int = 0
    ) throws -> [Int] {
        let reranking = Reranking(NumberReranker(), of: model, candidates: candidates)
        let found = try #require(
            reranking.reordered(chunks, for: "?", perDocument: perDocument, threads: 2))
        for (place, chunk) in found.enumerated() {
            #expect(chunk.score == Double(-chunk.candidate.row))
            #expect((chunk.rerank != nil) == (place < candidates))
        }
        return found.map(\.candidate.row)
    }

    @Test("the first chunks are ordered by score, equal ones as before, and the others follow")
    func candidates() throws {
        let chunks = ranked("a#1 1", "b#1 3", "c#1 3", "d#1 -2", "e#1 9", "f#1 2")
        #expect(try order(chunks) == [4, 1, 2, 5, 0, 3])
        #expect(try order(chunks, candidates: 4) == [1, 2, 0, 3, 4, 5])
        #expect(try order(chunks, candidates: 1) == [0, 1, 2, 3, 4, 5])
        #expect(try order([]).isEmpty)
    }

    @Test("the best chunk of each section comes first, as many of a document as it may have")
    func sections() throws {
        let chunks = ranked("a#1 1", "a#2 5", "a#1 4", "b#1 2", "a#3 3")
        #expect(try order(chunks) == [1, 2, 4, 3, 0])
        #expect(try order(chunks, perDocument: 1) == [1, 3, 2, 4, 0])
    }

    @Test("what is no number comes last, and scores are finite")
    func notANumber() throws {
        let chunks = ranked("a#1 none", "b#1 -inf", "c#1 1", "d#1 inf")
        #expect(try order(chunks) == [3, 2, 0, 1])
        let reranking = Reranking(NumberReranker(), of: model)
        let found = try #require(reranking.reordered(chunks, for: "?", threads: 1))
        #expect(found.compactMap(\.rerank).allSatisfy { $0.isFinite })
    }

    @Test("a reranker reads each passage once, with its title and its headings")
    func texts() throws {
        let reranker = NumberReranker()
        let chunks = ranked("a#1 1", "b#1 2", "c#1 3")
        _ = Reranking(reranker, of: model, candidates: 2)
            .reordered(chunks, for: "?", threads: 1)
        #expect(reranker.passages == ["Title\nHeading\na#1 1", "Title\nHeading\nb#1 2"])
    }

    @Test("it gives up at the deadline, after a few passages")
    func deadline() {
        let chunks = (0..<50).flatMap { ranked("d\($0)#1 \($0)") }
        let ended = Deadline(after: .seconds(100))
        let reranker = NumberReranker { ended.cancel() }
        let reranking = Reranking(reranker, of: model)
        #expect(reranking.reordered(chunks, for: "?", threads: 1, by: ended) == nil)
        #expect((1...8).contains(reranker.passages.count))
        #expect(reranking.reordered(chunks, for: "?", threads: 1)?.count == 50)
    }
}
