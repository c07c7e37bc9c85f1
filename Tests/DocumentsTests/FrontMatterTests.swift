import Documents
import Objects
import Testing

@Suite("Front matter")
struct FrontMatterTests {
    private func read(_ text: String) throws -> CleanDocument {
        try clean(text, .markdown, path: "a/page.md")
    }

    @Test(
        "titles in every spelling",
        arguments: [
            ("---\ntitle: >-\n  A folded\n  title\n---\nx", "A folded title"),
            ("---\ntitle: |2+\n    Literal\n\n---\nx", "Literal"),
            ("---\ntitle: \"Quoted\" # why\n---\nx", "Quoted"),
            ("---\ntitle: 'It''s' # why\n---\nx", "It's"),
            ("---\ntitle: C# in depth\n---\nx", "C# in depth"),
            ("---\ntitle: \"a \\u00e9\"\n...\nx", "a é"),
            ("---\ntitle: 2024\n---\nx", "2024"),
            ("---\r\ntitle: Windows\r\n---\r\nx", "Windows"),
            ("+++\ntitle = \"\"\"\nSeveral\nlines\"\"\"\n+++\nx", "Several lines"),
            ("+++\n[params]\nx = 1\n+++\n# H\n\nx", "H"),
            ("---\ntitle:\n---\n# H\n\nx", "H"),
            ("---\ntitle: [a, b]\n---\n# H\n\nx", "H"),
        ])
    func titles(text: String, title: String) throws {
        let document = try read(text)
        #expect(document.title == title)
        #expect(document.findings.isEmpty)
        #expect(document.sections.last?.blocks.map(\.text) == ["x"])
    }

    @Test("members are kept; those of nested mappings have dotted names")
    func members() throws {
        let text = """
            ---
            title: T
            tags: [a, "b", 3]
            draft: false
            order: 7
            version: 1.10
            updated: 2026-01-31
            none: ~
            params: {author: {name: Ada}}
            authors:
              - name: Ada
                url: https://ada.example
              - name: Bob
            ---
            x
            """
        let members = try read(text).metadata
        #expect(members["tags"] == ["a", "b", 3])
        #expect(members["draft"] == false)
        #expect(members["order"] == 7)
        #expect(members["version"] == "1.10")
        #expect(members["updated"] == "2026-01-31")
        #expect(members["none"] == .null)
        #expect(members["params.author.name"] == "Ada")
        #expect(members["authors.name"] == ["Ada", "Bob"])
        #expect(members["authors.url"] == ["https://ada.example"])
        let toml = try read(
            "+++\ntitle = 'T'\ndate = 2026-01-31T10:00:00Z\n[a.b]\nc = [1, 2]\n+++\nx"
        ).metadata
        #expect(toml["a.b.c"] == [1, 2])
        #expect(toml["date"]?.string?.hasPrefix("2026-01-31") == true)
    }

    @Test(
        "unreadable front matter stays in the text and is reported",
        arguments: [
            "---\ntitle: Foo: Bar\n---\nx", "---\na: &a [1]\nb: *a\n---\nx",
            "---\na: 1\na: 2\n---\nx", "+++\ntitle = 'It''s'\n+++\nx", "---\nkey: [1\n---\nx",
        ])
    func unread(text: String) throws {
        let document = try read(text)
        #expect(document.findings.map(\.fate) == [.notUnderstood])
        #expect(document.findings.map(\.reason) == ["front matter"])
        let words = document.sections.flatMap(\.blocks).map(\.text).joined(separator: " ")
        for word in text.split(whereSeparator: { $0.isWhitespace }).dropFirst().dropLast(2) {
            #expect(words.contains(word), "\(word)")
        }
    }

    @Test("deep or long front matter does no harm")
    func hostile() throws {
        let texts = [
            "---\na: " + String(repeating: "[", count: 60_000) + "\n---\nx",
            "---\na: " + String(repeating: "{a: ", count: 15_000) + "\n---\nx",
            "---\n" + (0..<900).map { String(repeating: " ", count: $0) + "a:\n" }.joined()
                + "---\nx",
            "+++\na = " + String(repeating: "[", count: 60_000) + "\n+++\nx",
            "+++\n" + String(repeating: "a.", count: 20_000) + "b = 1\n+++\nx",
            "---\n" + String(repeating: "a: b\n", count: 100_000) + "---\nx",
            "---\n" + (0..<9000).map { "k\($0): v\n" }.joined() + "---\nx",
        ]
        for text in texts {
            let document = try read(text)
            #expect(!document.sections.isEmpty)
        }
    }
}
