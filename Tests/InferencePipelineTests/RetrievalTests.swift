@testable import InferencePipeline
import Artifacts
import Conditions
import Objects
import Refs
import Synchronization
import TestSupport
import Testing

@Suite("Retrieval for services")
struct RetrievalTests {
    private static let questions = [
        "When does the frost alarm start?", "pump", "How do I water the soil?", "nothing at all",
    ]

    @Test("retrieval without an answer finds the sources of the answer")
    func sources() throws {
        let service = try Fixture().answering(threads: 1)
        for question in Self.questions {
            let reply = try service.answer(question, count: 3)
            let found = try service.retrieve(question, count: 3)
            #expect(found.chunks.map(\.row) == reply.sources.map(\.row))
            #expect(found.chunks.map(\.score) == reply.sources.map(\.score))
            #expect(found.chunks.map(\.signals) == reply.sources.map(\.signals))
            #expect(found.isAnswered == reply.isAnswered)
            #expect(found.search == reply.search && found.chunks.count <= 3)
        }
    }

    @Test("vectors whose products overflow, and huge weights, give finite numbers in every output")
    func overflow() throws {
        let question = "When does the frost alarm ring?"
        let query = try BuiltinEmbedder(dimension: 64).embed(question, as: .query)
        let greatest = Float.greatestFiniteMagnitude
        // Products of infinity, minus infinity, and NaN, which counts as minus infinity.
        let vectors: [[Float]] = [
            query.map { $0 < 0 ? -greatest : greatest },
            query.map { $0 < 0 ? greatest : -greatest },
            query.enumerated().map { ($1 < 0) == ($0 % 8 < 4) ? greatest : -greatest },
            query.map { _ in greatest },
        ]
        for weight in [nil, greatest, -greatest] {
            let fixture = try Fixture(vectors: vectors, weight: weight)
            for isApproximate in [false, true] {
                let reply = try fixture.answering(approximately: isApproximate)
                    .answer(question, count: 4)
                #expect(reply.sources.count == 4)
                #expect(reply.sources.map(\.similarity).max() == greatest)
                #expect(reply.sources.map(\.similarity).min() == -greatest)
                #expect(reply.sources.allSatisfy { $0.score.isFinite })
                #expect(!JSON.object(reply.json).canonicalBytes.isEmpty)
                #expect(!JSON.object(reply.explanation).canonicalBytes.isEmpty)
                #expect(reply.lines.count + reply.explanationLines.count > 10)
            }
        }
    }

    @Test("versions that share memory answer like versions that do not, from many threads")
    func sharing() throws {
        let fixture = try Fixture()
        let first = try fixture.answering()
        @Sendable func lines(_ service: QuestionAnswering) throws -> [String] {
            try Self.questions.map { JSON.object(try service.answer($0).json).canonicalText }
        }
        let expected = try lines(first)
        let second = try QuestionAnswering(
            Fixture.current, in: fixture.repository, now: Fixture.writer.now(),
            loading: Fixture.options(), sharing: first)
        for result in resultsOnThreads(4, { _ in try lines(second) }) {
            #expect(try result.get() == expected)
        }
    }

    @Test("a scope that many threads need at once is computed once; a failed one is tried again")
    func scopes() throws {
        let cache = ScopeCache()
        let condition = try Condition("ordinal = 0")
        let made = Atomic(0)
        let results = resultsOnThreads(8) { _ in
            try cache.scope(of: condition) {
                made.wrappingAdd(1, ordering: .relaxed)
                return Scope(condition: nil, rows: RowSet(all: 5), approximate: nil, mode: .exact)
            }
        }
        #expect(made.load(ordering: .relaxed) == 1)
        for result in results { #expect(try result.get().rows?.count == 5) }

        let other = try Condition("ordinal = 1")
        #expect(throws: InferenceError.self) {
            try cache.scope(of: other) { () throws(InferenceError) in throw .question }
        }
        let scope = try cache.scope(of: other) {
            Scope(condition: nil, rows: RowSet(all: 7), approximate: nil, mode: .exact)
        }
        #expect(scope.rows?.count == 7)
    }
}
