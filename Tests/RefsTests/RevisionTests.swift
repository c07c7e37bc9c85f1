import Objects
import Refs
import Storage
import TestSupport
import Testing

@Suite("Revisions")
struct RevisionTests {
    @Test(
        "a revision reads back from its own text",
        arguments: [
            ("models/current", "models/current"), ("models/current~", "models/current~1"),
            ("models/current~2", "models/current~2"), ("models/current~~", "models/current~1~1"),
            ("features/prod@{0}", "features/prod@{0}"),
            ("features/prod@{yesterday}", "features/prod@{yesterday}"),
            ("features/prod@{today}~3", "features/prod@{today}~3"),
            ("features/prod@{1 day ago}", "features/prod@{1 day ago}"),
            ("features/prod@{2 weeks ago}", "features/prod@{2 weeks ago}"),
            ("features/prod@{2026-08-01}", "features/prod@{2026-08-01T00:00:00.000Z}"),
            ("features/prod@{2026-08-01T09:30}", "features/prod@{2026-08-01T09:30:00.000Z}"),
            ("features/prod@{2026-08-01 09:30:15}", "features/prod@{2026-08-01T09:30:15.000Z}"),
            ("features/prod@{2026-08-01T09:30:15Z}", "features/prod@{2026-08-01T09:30:15.000Z}"),
            ("3fa9c1", "3fa9c1"), ("3fa9", "3fa9"), ("3fa9c1~2", "3fa9c1~2"),
            ("models/current^dataset:config.json", "models/current^dataset:config.json"),
            ("models/a^base~2^features", "models/a^base~2^features"),
            ("features/prod:guide.md#0", "features/prod:guide.md#0"),
            ("features/prod:https://example.org/a~b@{1}^c:d", nil as String?),
            ("models/x:a b/\u{e9}", nil), ("models/x:e\u{301}", nil),
            (String(repeating: "0f", count: 32), nil),
        ])
    func rendering(_ text: String, _ canonical: String?) throws {
        let revision = try Revision(text)
        #expect(revision.description.utf8.elementsEqual((canonical ?? text).utf8))
        #expect(try Revision(revision.description) == revision)
    }

    @Test(
        "a malformed revision is a usage error of one line",
        arguments: HostileNames.refs + [
            "models/x@", "models/x@{", "models/x@{}", "models/x@{-1}", "models/x@{01}",
            "models/x@{1}@{2}",
            "models/x~1@{1}", "models/x@{not a date}", "models/x@{2026-13-01}",
            "models/x@{2026-08-01T25:00}", "models/x@{-1 days ago}", "models/x@{3 months ago}",
            "models/x@{99999999999999999999 days ago}", "models/x~99999999999999999999",
            "models/x~-1", "models/x~01", "models/x~x", "models/x^", "models/x^^", "models/x^a b",
            "models/x:", "models/x:a\0b",
            "models/x{1}", ":a", "~1", "^dataset", "@{1}", "abc", "a", "current",
            String(repeating: "a", count: 63), String(repeating: "a", count: 65),
            String(repeating: "A", count: 64), "3FA9C1", "../../etc/passwd",
            String(repeating: "\u{ff41}", count: 64), String(repeating: "a", count: 64) + "\n",
            "sha256:" + String(repeating: "a", count: 64), "3fa9@{1}",
            "models/x:" + String(repeating: "a", count: 9000),
        ])
    func refused(_ text: String) {
        let error = refError { _ = try Revision(text) }
        #expect(error?.fault == .usage)
        #expect(error?.message.contains { $0.isNewline || $0 == "\0" } == false)
    }

    @Test("any bytes give a revision that reads back, or an error")
    func total() throws {
        var generator = SeededGenerator(seed: 7)
        let alphabet = Array("models/x~^@{}:0123abc .yesterday\u{e9}\n".utf8) + [0, 0xFF]
        var accepted = 0
        for _ in 0..<3000 {
            let count = Int.random(in: 0...24, using: &generator)
            var bytes = Array("models/x".utf8.prefix(Int.random(in: 0...8, using: &generator)))
            for _ in 0..<count {
                bytes.append(alphabet[Int.random(in: 0..<alphabet.count, using: &generator)])
            }
            guard let revision = try? Revision(utf8: bytes) else { continue }
            accepted += 1
            #expect(try Revision(revision.description) == revision)
        }
        #expect(accepted > 0 && accepted < 3000)
    }
}
