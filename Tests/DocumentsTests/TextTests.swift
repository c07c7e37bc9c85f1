import Documents
import Objects
import TestSupport
import Testing

@Suite("Plain text and records")
struct TextTests {
    @Test(
        "blocks and sections",
        arguments: [
            ("", []),
            ("one\ntwo\r\n\r\nthree", ["||one two¦three"]),
            ("Title\n=====\n\nx\n\nSub\n---\n\ny", ["title|Title|x", "sub|Title>Sub|y"]),
            ("=====\nTitle\n=====\n\nx", ["title|Title|x"]),
            ("too long a line\n---\n\nx", ["||too long a line ---¦x"]),
            ("para::\n\n    code\n      more\n\nend", ["||para::¦    code\n      more¦end"]),
        ] as [(String, [String])])
    func blocks(text: String, expected: [String]) throws {
        #expect(outline(try clean(text, .text)) == expected)
    }

    @Test("records")
    func records() throws {
        let record = try clean(#"{"id": "7", "title": "T", "text": "a\n\nb"}"#, .record)
        #expect(record.title == "T")
        #expect(outline(record) == ["|T|a¦b"])
        for broken in ["", "[]", "{}", #"{"text": 1}"#, #"{"text": "x""#, "\u{FEFF}{}"] {
            #expect(throws: UnreadableDocument.self) { try clean(broken, .record) }
        }
    }

    @Test("a number beyond a double does not invalidate its record")
    func largeNumbers() throws {
        let record = try clean(
            #"{"id": null, "path": "p", "text": null, "content": "a", "views": 9007199254740993}"#,
            .record)
        #expect(outline(record) == ["||a"])
        #expect(findings(record) == ["not-understood number 1 records"])
    }

    @Test("a title without text becomes the text; a document without either is reported")
    func titlesAlone() throws {
        #expect(outline(try clean("---\ntitle: T\n---\n", .markdown)) == ["|T|T"])
        #expect(outline(try clean("<title>T</title>", .html)) == ["|T|T"])
        #expect(outline(try clean(#"{"id": "a", "text": "", "title": "T"}"#, .record)) == ["|T|T"])
        #expect(findings(try clean("", .markdown)) == ["left-out no text 1 documents"])
    }

    @Test("the length and the number of headings are limited")
    func bounds() throws {
        let long = try clean("# \(String(repeating: "long ", count: 5000))\n\nx", .markdown)
        #expect(long.sections[0].headings[0].count <= 500)
        #expect(long.title.count <= 500)
        #expect(long.sections[0].anchor.utf8.count <= 256)
        let many = try clean(String(repeating: "# A\n\nx\n\n", count: 20_010), .markdown)
        #expect(many.sections.count == 20_000)
        #expect(findings(many) == ["cut sections 20000 sections"])
    }

    @Test(
        "bytes that are not text are refused", arguments: [DocumentFormat.markdown, .html, .text])
    func notText(type: DocumentFormat) {
        for bytes: [UInt8] in [[0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A], [0x61, 0, 0x62]] {
            #expect(throws: UnreadableDocument.self) {
                try CleanDocument.clean(RawDocument(path: "p", format: type, bytes: bytes))
            }
        }
    }

    @Test(
        "no bytes crash a cleaner", arguments: [DocumentFormat.markdown, .html, .text, .record])
    func anyBytes(type: DocumentFormat) {
        var generator = SeededGenerator(seed: 7)
        let pieces =
            [
                "<", ">", "</", "<div id='a'>", "<h2>", "<table><tr><td>", "&", "&#x110000;", "#",
                "# ", "- ",
                "|", "\n", "\n\n", "```", "---\n", "[a](", "![", "*", "_", "`", "é", "\u{301}",
                "\u{202E}",
                "{\"text\":", "\"", "\\u", "title: ", "<!--", "<![CDATA[", "<script>", "<pre>",
                "</p>", "    ",
                "\t", "1. ", "> ", "text",
            ].map { Array($0.utf8) } + [[0xFF], [0xC3], [0xED, 0xA0, 0x80], [0x80]]
        var accepted = 0
        for _ in 0..<300 {
            let count = Int.random(in: 0..<60, using: &generator)
            var bytes = (0..<count).flatMap { _ in pieces.randomElement(using: &generator) ?? [] }
            if type == .record, Bool.random(using: &generator) {
                // Random bytes alone are never a record.
                let record: JSON = [
                    "id": "7", "text": .string(String(decoding: bytes, as: UTF8.self)),
                ]
                bytes = record.canonicalBytes
            }
            guard
                let document = try? CleanDocument.clean(
                    RawDocument(path: "p", format: type, bytes: bytes))
            else { continue }
            accepted += 1
            #expect(
                Set(document.sections.map { Array($0.anchor.utf8) }).count
                    == document.sections.count)
            #expect(document.sections.allSatisfy { !$0.blocks.isEmpty })
        }
        #expect(accepted > 0)
    }
}
