@testable internal import Artifacts

extension FuzzTarget {
    /// Segments of a lexical index: an accepted one encodes to the same bytes, and the postings of every row ascend.
    static let postings = FuzzTarget("postings", words: ["ftiwords"]) { _ in
        var segment = LexicalSegment()
        segment.append(
            .init(words: .init(text: 3, headings: 1), language: 0x6E65, document: 7, section: 9),
            [
                .init(term: 1, text: 2, above: 0), .init(term: 5, text: 1, above: 0x12),
                .init(term: .max, text: 255, above: 0xFF),
            ])
        segment.append(.init(), [])
        return [segment.encoded, LexicalSegment().encoded]
    } run: { input throws(FuzzFinding) in
        var bytes: [UInt8] = []
        for index in input.indices { bytes.append(input[index]) }
        guard let segment = try? LexicalSegment(decoding: bytes) else { return }
        try FuzzFinding.unless(segment.encoded == bytes, "a segment has two encodings")
        for row in segment.rows.indices {
            let terms = segment.postings(of: row).map(\.term)
            try FuzzFinding.unless(
                zip(terms, terms.dropFirst()).allSatisfy { $0 < $1 }, "terms do not ascend")
        }
    }
}
