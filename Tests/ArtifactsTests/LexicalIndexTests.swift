@testable import Artifacts
import Objects
import Storage
import TestSupport
import Testing
import TextAnalysis

@Suite("Lexical indexes")
struct LexicalIndexTests {
    private static let words = [
        "pump", "valve", "frost", "alarm", "select_related", "15.20", "starts", "soil", "dry",
        "the",
        "退款政策", "Größe",
    ]

    /// Rows of several documents; those in `changed` have another text.
    private func rows(_ count: Int, changed: Set<Int> = []) -> [TableRow] {
        (0..<count).map { number in
            var random = SeededGenerator(seed: UInt64(number + 1))
            let text = (0..<30).map { _ in
                Self.words[Int(random.next() % UInt64(Self.words.count))]
            }.joined(separator: " ")
            let row = FeatureRow(
                document: "d\(number / 40).md", title: "Title \(number / 40)",
                section: "s\(number / 4 % 10)", headings: ["Title", "Heading \(number / 4)"],
                ordinal: number % 4, text: changed.contains(number) ? "changed \(text)" : text)
            return TableRow(key: row.key, attributes: row.attributes, vector: [1, 0, 0, 0])
        }
    }

    private func table(_ rows: [TableRow], in store: MemoryStore) throws -> Table {
        try Table.build(rows: rows, dimension: 4, in: store)
    }

    private func segments(_ content: Content, in store: MemoryStore) throws -> [ObjectID: ObjectID]
    {
        try #require(try LexicalTree(content, in: store)).segments
    }

    @Test(
        "an index built from scratch equals one built on an earlier index, which shares unchanged segments"
    )
    func sharing() throws {
        let store = MemoryStore()
        let first = try table(rows(2000), in: store)
        let before = try LexicalTree.write(first, in: store)
        let second = try table(rows(2000, changed: [7, 1203]), in: store)
        let after = try LexicalTree.write(
            second, succeeding: .init(table: first, index: before), in: store, threads: 3)
        #expect(
            try LexicalTree.write(second, in: MemoryStoreCopy.of(store, second), threads: 1)
                == after)
        let (old, new) = (try segments(before, in: store), try segments(after, in: store))
        let added = Set(new.values).subtracting(old.values)
        #expect(old.count > 10 && (1...4).contains(added.count))
        #expect(
            try LexicalTree.write(first, succeeding: .init(table: first, index: before), in: store)
                == before)
    }

    @Test("the score is BM25 of the row, its section and its document")
    func scores() throws {
        let store = MemoryStore()
        let rows = rows(200)
        let table = try table(rows, in: store)
        let index = try LexicalIndex.open(table, nil, in: store, cache: SegmentCache(), threads: 2)
        #expect(index.count == 200)
        let question = "Does the frost alarm use select_related?"
        let query = LexicalQuery(question, languages: index.languages)
        // frost, alarm, the whole and both parts of select_related.
        #expect(query.words.count == 6 || query.words.count == 5)
        #expect(query.words.count { $0.size == 0 } == 1)
        let levels = index.weights(of: query)
        let found = index.search(
            query, weights: levels, count: 10, scoring: Array(0..<200), threads: 2)
        let expected = try reference(rows, query)
        for (score, expected) in zip(found.scores, expected) {
            #expect(abs(Double(score) - expected) < 1e-3 * max(1, expected))
        }
        let one = index.search(query, weights: levels, count: 10, threads: 1)
        #expect(one.best == found.best && one.best.count == 10)
        let sorted = found.scores.enumerated().sorted {
            ($0.element, -$0.offset) > ($1.element, -$1.offset)
        }
        #expect(one.best.map(\.row) == sorted.prefix(10).map(\.offset))
    }

    /// The scores by their definition, over token lists.
    private func reference(_ rows: [TableRow], _ query: LexicalQuery) throws -> [Double] {
        let features = try rows.map { try FeatureRow(attributes: $0.attributes) }
        func scores(_ group: (FeatureRow) -> String) -> [Double] {
            var counts: [String: [UInt32: Double]] = [:]
            var lengths: [String: Double] = [:]
            for row in features {
                let key = group(row)
                let fields: [(String, Double)] =
                    [(row.text, 1), (row.title, 0.5)] + row.headings.map { ($0, 1) }
                lengths[key, default: 0] += 0
                for (text, weight) in fields {
                    for token in TextAnalyzer().tokens(of: text) {
                        guard let term = LexicalTerm.of(token) else { continue }
                        counts[key, default: [:]][term, default: 0] += weight
                        if token.isInSequence { lengths[key, default: 0] += weight }
                    }
                }
            }
            let total = Double(lengths.count)
            let mean = lengths.values.reduce(0, +) / total
            var result: [String: Double] = [:]
            for word in query.words {
                let term = word.terms[0]
                let having = Double(counts.values.count { $0[term] != nil })
                let weight = PortableMath.log(1 + (total - having + 0.5) / (having + 0.5))
                for (key, counts) in counts {
                    guard let count = counts[term] else { continue }
                    let norm = 1.2 * (0.25 + 0.75 * (lengths[key] ?? 0) / mean)
                    result[key, default: 0] += weight * 2.2 * count / (count + norm)
                }
            }
            return features.map { result[group($0)] ?? 0 }
        }
        let rowScores = scores(\.key)
        let sections = scores { "\($0.document)#\($0.section)" }
        let documents = scores(\.document)
        return rowScores.indices.map { rowScores[$0] + 0.3 * sections[$0] + 0.2 * documents[$0] }
    }

    @Test(
        "scripts without spaces are searched by any form of a word, whole or in part",
        arguments: [
            ("Wo ist die GRO\u{308}SSE", 3), ("退款", 2), ("related", 4), ("SELECT_RELATED", 4),
            ("15.20", 5), ("pumping", 1),
        ])
    func found(question: String, row: Int) throws {
        let texts = [
            "nothing here", "The pump starts.", "这里是退款政策的说明", "Die Große ist gut",
            "use select_related here", "version 15.20",
        ]
        let store = MemoryStore()
        let table = try table(
            texts.enumerated().map { number, text in
                let row = FeatureRow(
                    document: "d\(number).md", title: "", section: "", headings: [], ordinal: 0,
                    text: text)
                return TableRow(key: row.key, attributes: row.attributes, vector: [1, 0, 0, 0])
            }, in: store)
        let index = try LexicalIndex.open(table, nil, in: store, cache: SegmentCache(), threads: 1)
        let query = LexicalQuery(question, languages: index.languages)
        let found = index.search(
            query, weights: index.weights(of: query), count: 1, threads: 1)
        #expect(found.best.first?.row == row)
    }

    @Test("rows are stemmed in their own language, and questions in all languages")
    func languages() throws {
        let store = MemoryStore()
        let table = try table(
            [("de", "In den Häusern brennt Licht"), ("en", "Houses are lit")].enumerated().map {
                number, row in
                var feature = FeatureRow(
                    document: "d\(number).md", title: "", section: "", headings: [], ordinal: 0,
                    text: row.1)
                feature.metadata["language"] = .string(row.0)
                return TableRow(
                    key: feature.key, attributes: feature.attributes, vector: [1, 0, 0, 0])
            }, in: store)
        let index = try LexicalIndex.open(table, nil, in: store, cache: SegmentCache(), threads: 1)
        #expect(index.languages.map(\.code) == ["de", "en"])
        for (question, row) in [("Haus", 0), ("house", 1)] {
            let query = LexicalQuery(question, languages: index.languages)
            let found = index.search(
                query, weights: index.weights(of: query), count: 5, threads: 1)
            #expect(found.best.map(\.row) == [row])
        }
    }

    @Test("an audit finds an index that disagrees with the rows")
    func audit() throws {
        let store = MemoryStore()
        let (one, other) = (
            try table(rows(300), in: store), try table(rows(300, changed: [5]), in: store)
        )
        let moment = try #require(Timestamp(milliseconds: 0))
        func snapshot(_ table: Table, _ index: Content?) -> Snapshot {
            Snapshot(
                kind: .features,
                content: .table(table),
                producer: .init(pipeline: "test", version: "1"), index: index,
                created: moment)
        }
        var audit = LexicalAudit(threads: 2)
        let index = try LexicalTree.write(one, in: store)
        #expect(try audit.problem(of: snapshot(one, index), in: store) == nil)
        #expect(try audit.problem(of: snapshot(one, nil), in: store) == nil)
        #expect(try audit.problem(of: snapshot(other, index), in: store) != nil)
        // A segment that lacks the rows' words.
        var builder = TreeBuilder()
        let tree = try #require(try LexicalTree(index, in: store))
        let definition = try store.write(TextAnalyzer.definition, hint: .bulk)
        builder.add(
            try RelativePath("analysis"), size: TextAnalyzer.definition.count, id: definition)
        for (number, (leaf, segment)) in tree.segments.sorted(by: { $0.key < $1.key }).enumerated()
        {
            var bytes = try store.read(segment, limit: 1 << 24)
            if number == 0 { bytes[bytes.count - 1] ^= 1 }
            builder.add(
                try RelativePath("segments/\(leaf.hex.prefix(2))/\(leaf.hex.dropFirst(2))"),
                size: bytes.count, id: try store.write(bytes, hint: .bulk))
        }
        let forged = try builder.write(into: store).content
        #expect(try audit.problem(of: snapshot(one, forged), in: store) != nil)
    }

    @Test("a segment reads back; a truncated one is refused, and a changed one is refused or valid")
    func segments() throws {
        let store = MemoryStore()
        let table = try table(rows(20), in: store)
        let leaf = try #require(try table.leaves(in: store).first).read(in: store)
        var builder = SegmentBuilder()
        let segment = try builder.segment(of: leaf)
        let bytes = segment.encoded
        #expect(try LexicalSegment(decoding: bytes) == segment)
        for count in 0..<bytes.count {
            #expect(throws: ObjectError.self) {
                try LexicalSegment(decoding: Array(bytes[..<count]))
            }
        }
        var random = SeededGenerator(seed: 5)
        var accepted = 0
        for _ in 0..<2000 {
            var changed = bytes
            changed[Int(random.next() % UInt64(bytes.count))] ^= UInt8(1 << (random.next() % 8))
            if let read = try? LexicalSegment(decoding: changed) {
                accepted += 1
                #expect(read.encoded == changed)
            }
        }
        #expect(accepted > 0 && accepted < 2000)
    }

    @Test(
        "a stop word of one language is a word in another; Hangul words and pairs weigh half each")
    func queries() throws {
        let german = try #require(Language(code: "de"))
        let korean = try #require(Language(code: "ko"))
        func count(_ question: String, _ languages: [Language]) -> Int {
            LexicalQuery(question, languages: languages).words.count
        }
        #expect(
            count("How much does the hat cost?", [.english, german])
                == count("much hat cost", [.english]))
        #expect(
            count("Wann hat die Bibliothek auf?", [.english, german])
                == count("Wann Bibliothek auf", [german]))
        #expect(count("hat", [.english, german]) == 1)
        let sizes = LexicalQuery("도서관은 열", languages: [korean]).words.map(\.size)
        #expect(sizes == [0, 0.5, 0.5, 0.5, 1])
        #expect(LexicalQuery("退款政策", languages: []).words.map(\.size) == [0.5, 0.5, 0.5])
    }

    @Test("quoted phrases match word for word; one quoted word is no phrase")
    func phrases() throws {
        #expect(
            QuotedPhrases(in: #"why "deadlock detected" and “could not”"#).texts == [
                "deadlock detected", "could not",
            ])
        #expect(QuotedPhrases(in: #"role "bob" is "open"#).isEmpty)
        let many = (0..<20).map { "\"phrase \($0)\"" }
        #expect(
            QuotedPhrases(in: many.joined(separator: " ")).texts
                == (0..<16).map { "phrase \($0)" })
        let store = MemoryStore()
        let texts = ["a deadlock was detected", "ERROR: Deadlock detected!", "detected deadlock"]
        let table = try table(
            texts.enumerated().map { number, text in
                let row = FeatureRow(
                    document: "d\(number).md", title: "", section: "", headings: [], ordinal: 0,
                    text: text)
                return TableRow(key: row.key, attributes: row.attributes, vector: [1, 0, 0, 0])
            }, in: store)
        let index = try FeatureIndex.open(table, in: store, verified: try VerifiedLeaves())
        func occurrence(_ question: String) throws -> QuotedPhrases.Occurrence {
            try QuotedPhrases(in: question)
                .occurrence(in: index, among: nil, source: store, threads: 2)
        }
        let found = try occurrence(#""deadlock detected""#)
        #expect(found.rows?.ranges == [1..<2] && found.missing.isEmpty)
        let one = try occurrence(#""deadlock was", "deadlock detected", "not there""#)
        #expect(one.rows?.ranges == [0..<1])
        #expect(one.missing == ["deadlock detected", "not there"])
        #expect(try occurrence(#""not there""#).rows == nil)
    }
}

/// A store that has the objects of a table alone.
private enum MemoryStoreCopy {
    static func of(_ store: MemoryStore, _ table: Table) throws -> MemoryStore {
        let copy = MemoryStore()
        var cursor = TableCursor(table, in: store)
        var rows: [TableRow] = []
        while let row = try cursor.next() { rows.append(row) }
        #expect(try Table.build(rows: rows, dimension: table.dimension, in: copy) == table)
        return copy
    }
}
