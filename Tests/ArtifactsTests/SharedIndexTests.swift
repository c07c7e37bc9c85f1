@testable import Artifacts
import Objects
import Storage
import Synchronization
import TestSupport
import Testing

@Suite("Versions of features that share memory")
struct SharedIndexTests {
    private static let words = (0..<400).map { "word\($0)" } + ["the", "pump", "frost_alarm"]

    /// One row of the table; `edition` decides its text.
    private func row(_ number: Int, edition: Int) throws -> TableRow {
        var random = SeededGenerator(seed: UInt64(number * 131 + edition * 7919 + 1))
        let text = (0..<20).map { _ in Self.words[Int(random.next() % UInt64(Self.words.count))] }
        var row = FeatureRow(
            document: "d\(100_000 + number / 12)", title: "Title \(number / 12)",
            section: "s\(10 + number / 3 % 4)", headings: ["Title", "Heading \(number % 50)"],
            ordinal: number % 3, text: text.joined(separator: " "))
        if number % 97 == 0 { row.metadata["language"] = "de" }
        let vector = (0..<16).map { _ in Float(Int(random.next() % 2001) - 1000) / 1000 }
        return TableRow(key: row.key, attributes: row.attributes, vector: vector)
    }

    private func table(_ rows: [Int: Int], in store: MemoryStore) throws -> Table {
        let rows = try rows.sorted { $0.key < $1.key }.map { try row($0.key, edition: $0.value) }
        return try Table.build(rows: rows, dimension: 16, in: store)
    }

    /// Compares an index with a fresh one of the same table: all scores, and all results of both searches.
    private func expectEqual(
        _ index: FeatureIndex, _ fresh: FeatureIndex, _ store: MemoryStore
    ) throws {
        #expect(index.count == fresh.count && index.words.languages == fresh.words.languages)
        for question in [
            "word1 word77 the pump", "frost_alarm", "Title 40 Heading 7", "word399", "nothing",
        ] {
            let prepared = Question(question, of: index.words)
            let other = Question(question, of: fresh.words)
            #expect(prepared.weights == other.weights && prepared.meanWords == other.meanWords)
            let all = Array(0..<index.count)
            let (found, expected) = [(index, prepared), (fresh, other)].map { index, question in
                index.words.search(
                    question.query, weights: question.levels, count: 300, scoring: all, threads: 2)
            }.pair
            #expect(found.best == expected.best)
            #expect(found.scores == expected.scores)
            let query = prepared.query.words
            #expect(index.words.rows(withAll: query) == fresh.words.rows(withAll: query))
        }
        var random = SeededGenerator(seed: 9)
        for count in [1, 10, 500] {
            let query = (0..<16).map { _ in Float(Int(random.next() % 2001) - 1000) / 1000 }
            #expect(
                try index.vectors.nearest(count, to: query, threads: 2)
                    == (try fresh.vectors.nearest(count, to: query, threads: 1)))
        }
        let some = (0..<50).map { $0 * index.count / 50 }
        #expect(
            try index.rows(at: some, in: store, threads: 1)
                == (try fresh.rows(at: some, in: store, threads: 1)))
    }

    @Test("a version that shares with its predecessor finds exactly what a fresh one finds")
    func editions() throws {
        let store = MemoryStore()
        // More than one part of the lexical index.
        var rows = Dictionary(uniqueKeysWithValues: (0..<36_000).map { ($0, 0) })
        let segments = SegmentCache()
        var index = try FeatureIndex.open(
            try table(rows, in: store), in: store, verified: VerifiedLeaves(), segments: segments,
            threads: 2)
        var random = SeededGenerator(seed: 4)
        for edition in 1...4 {
            switch edition {
            case 1: for _ in 0..<40 { rows[Int(random.next() % 36_000)] = edition }
            case 2: for number in 500..<900 { rows[number] = nil }
            case 3: for number in 36_000..<36_500 { rows[number] = edition }
            default: for number in 0..<30_000 where number % 5 != 0 { rows[number] = nil }
            }
            let next = try table(rows, in: store)
            let fresh = try FeatureIndex.open(
                next, in: store, verified: VerifiedLeaves(), segments: segments, threads: 1)
            index = try FeatureIndex.open(
                next, in: store, verified: VerifiedLeaves(), segments: segments, threads: 2,
                sharing: index)
            try expectEqual(index, fresh, store)
        }
    }

    @Test("a version may share with any other table")
    func unrelated() throws {
        let store = MemoryStore()
        let first = try table([1: 0, 2: 0], in: store)
        let other = try table(
            Dictionary(uniqueKeysWithValues: (100..<300).map { ($0, 1) }), in: store)
        let index = try FeatureIndex.open(first, in: store, verified: VerifiedLeaves())
        let shared = try FeatureIndex.open(
            other, in: store, verified: VerifiedLeaves(), sharing: index)
        let fresh = try FeatureIndex.open(other, in: store, verified: VerifiedLeaves())
        try expectEqual(shared, fresh, store)
        let back = try FeatureIndex.open(
            first, in: store, verified: VerifiedLeaves(), sharing: shared)
        try expectEqual(back, index, store)
    }

    @Test("only the segments of changed leaves are read again")
    func reading() throws {
        let store = MemoryStore()
        var rows = Dictionary(uniqueKeysWithValues: (0..<3000).map { ($0, 0) })
        func leaves(_ table: Table) throws -> [LeafReference] { try table.leaves(in: store) }
        @Sendable func segment(_ leaf: LeafReference) throws(ObjectError) -> LexicalSegment {
            var builder = SegmentBuilder()
            return try builder.segment(of: try leaf.read(in: store))
        }
        let first = try table(rows, in: store)
        let before = try LexicalIndex(try leaves(first), threads: 1) { (leaf) throws(ObjectError) in
            try segment(leaf)
        }
        rows[1500] = 1
        let second = try table(rows, in: store)
        let old = try TableVectors(first, in: store, verified: nil)
        let shared = try TableVectors(second, in: store, verified: nil).leaves(sharedWith: old)
        let read = Atomic(0)
        _ = try LexicalIndex(
            try leaves(second), sharing: .init(index: before, leaves: shared), threads: 2
        ) { (leaf) throws(ObjectError) in
            read.wrappingAdd(1, ordering: .relaxed)
            return try segment(leaf)
        }
        let changed = shared.indices.count { $0 == nil }
        #expect(read.load(ordering: .relaxed) == changed && (1...3).contains(changed))
        #expect(shared.indices.count > 30)
    }

    @Test("blocks of codes keep their size over many changes")
    func blocks() throws {
        let store = MemoryStore()
        var rows = Dictionary(uniqueKeysWithValues: (0..<4000).map { ($0, 0) })
        var vectors = try TableVectors(try table(rows, in: store), in: store, verified: nil)
        var codes = try CodeTable(vectors, sharing: nil, threads: 1)
        var random = SeededGenerator(seed: 11)
        for edition in 1...40 {
            for _ in 0..<3 { rows[Int(random.next() % 4000)] = edition }
            let next = try TableVectors(try table(rows, in: store), in: store, verified: nil)
            codes = try CodeTable(
                next,
                sharing: .init(codes: codes, leaves: next.leaves(sharedWith: vectors)), threads: 1)
            vectors = next
            let pieces = codes.pieces(of: 0..<4000)
            #expect(pieces.count < 30)
            #expect(pieces.map(\.rows.count).reduce(0, +) == 4000)
        }
    }
}

extension [LexicalIndex.SearchResult] {
    fileprivate var pair: (Element, Element) { (self[0], self[1]) }
}
