internal import Foundation

/// A line of feedback as the inference pipeline writes it, with the record of the answer.
package struct FeedbackLine {
    /// Decides the ids of the feedback and, unless ``answerNumber`` does, of the answer.
    package var number: Int
    package var answerNumber: Int?
    package var time = "2026-08-01T09:30:00.000Z"
    package var question = "What size holes do I drill in brick?"
    package var answer = "Drill 8 mm holes. [1]"
    package var rating: String?
    package var better: String?
    package var passage: String?
    package var comment: String?
    package var from: String?
    package var shown = ["install/mounting.md#drilling-template/00", "install/mounting.md#/00"]
    package var hasRecord = true
    /// The system message of the rendered prompt; nil for an extractive answer.
    package var system: String? = "Answer from the passages."

    package init(_ number: Int) { self.number = number }

    private static func digits(_ number: Int) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 32 - digits.count) + digits
    }

    package static let hash = String(repeating: "0123456789abcdef", count: 4)
    package var id: String { "fb-" + Self.digits(number) }
    package var answerID: String { "ans-" + Self.digits(answerNumber ?? number) }

    private var record: [String: Any] {
        let passages = shown.enumerated().map { index, key in
            let document = key.split(separator: "#").first.map(String.init) ?? key
            return [
                "number": index + 1, "key": key, "document": document, "title": "T",
                "section": "s", "headings": ["T"], "text": "Passage \(index + 1).",
                "score": 2.5, "similarity": 0.5, "vectorRank": index + 1, "wordsRank": NSNull(),
                "attributes": ["ordinal": 0],
            ] as [String: Any]
        }
        let prompt: Any =
            system.map { system in
                [
                    "id": Self.hash,
                    "messages": [
                        ["role": "system", "content": system],
                        ["role": "user", "content": "Passages: … Question: \(question)"],
                    ],
                ] as [String: Any]
            } ?? NSNull()
        return [
            "type": "answer", "version": 1, "id": answerID, "replica": "web-1",
            "time": "2026-08-01T09:29:00.000Z", "question": question, "answered": true,
            "answer": answer, "verified": true,
            "citations": ["shown": [1], "removed": 0] as [String: Any], "passages": passages,
            "prompt": prompt, "generator": ["kind": "extractive"], "release": Self.hash,
            "features": Self.hash, "ranker": NSNull(), "space": NSNull(), "transaction": 7,
            "repository": String(Self.hash.prefix(32)), "where": NSNull(),
            "retrieval": ["mode": "hybrid", "candidates": 100, "k": 5, "perDocument": 0]
                as [String: Any],
        ]
    }

    /// The line without its line feed.
    package func text() throws -> String {
        func value(_ text: String?) -> Any { text ?? NSNull() }
        let line: [String: Any] = [
            "type": "feedback", "version": 1, "id": id, "time": time, "answerId": answerID,
            "answer": hasRecord ? record : NSNull(), "rating": value(rating),
            "better": value(better), "passage": value(passage), "comment": value(comment),
            "from": value(from),
        ]
        let data = try JSONSerialization.data(
            withJSONObject: line, options: [.sortedKeys, .withoutEscapingSlashes])
        return String(decoding: data, as: UTF8.self)
    }
}

extension TemporaryDirectory {
    /// Writes a file of feedback, every line ended.
    @discardableResult
    package func write(_ name: String, _ lines: [FeedbackLine]) throws -> String {
        try write(name, lines.map { try $0.text() + "\n" }.joined())
    }
}
