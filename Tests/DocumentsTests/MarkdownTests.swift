import Documents
import Testing

@Suite("Markdown as text")
struct MarkdownTests {
    @Test(
        "blocks and sections",
        arguments: [
            ("", []),
            ("plain", ["||plain"]),
            ("# A\n\none\ntwo\n\n## B\n\nthree", ["a|A|one two", "b|A>B|three"]),
            ("before\n\n# A\n\nafter", ["|A|before", "a|A|after"]),
            ("A\n=\n\nx\n\nB\n-\n\ny", ["a|A|x", "b|A>B|y"]),
            ("### deep\n\nx\n\n# top\n\ny", ["deep|top>deep|x", "top|top|y"]),
            ("- a\n- b\n  - c\n- d", ["||- a¦- b¦- c¦- d"]),
            ("3. a\n4. b\n\n   more", ["||3. a¦4. b¦more"]),
            ("```sh\na  b\n\n\n\n  c\n```", ["||a  b\n\n  c"]),
            ("    code\n      more", ["||code\n  more"]),
            ("| a | b |\n|---|---|\n| 1 | `2|` |\n| | |", ["||a | b |¦1 | `2 | `"]),
            (
                "~~gone~~ and *this* **that** [link](http://a.b 't') ![alt](i.png)",
                ["||gone and this that link alt"]
            ),
            ("a<br>b <kbd>Ctrl</kbd> <!-- no --> &amp; &copy; &#65;", ["||a b Ctrl & © A"]),
            ("<details>\n<summary>More</summary>\n\nText\n\n</details>", ["||More¦Text"]),
            ("<script>\nalert(1)\n</script>\n\nx", ["||x"]),
            (
                "Set <your-host> for List<String>, <kbd>x</kbd>, <my-tag>y</my-tag>.",
                ["||Set <your-host> for List<String>, x, y."]
            ),
            (
                "| a | b |\n|---|---|\n| x | y | more |\n\nend",
                ["||a | b |¦x | y | more¦end"]
            ),
            ("> quote\n> goes on\n\n---\n\nend", ["||quote goes on¦end"]),
            ("a\u{A0}\u{200B} b\u{AD}c\u{7}d", ["||a bc d"]),
            ("www.example.com a@b.cd", ["||www.example.com a@b.cd"]),
            ("# \n\nx", ["-1||x"]),
        ] as [(String, [String])])
    func blocks(markdown: String, expected: [String]) throws {
        #expect(outline(try clean(markdown, .markdown)) == expected)
    }

    @Test(
        "anchors are GitHub's",
        arguments: [
            ("Hello, World!", "hello-world"), ("A & B", "a--b"),
            ("snake_case-and kebab", "snake_case-and-kebab"),
            ("`code` in *it*", "code-in-it"), ("Größe 2.5 mm", "größe-25-mm"), ("溫室 控制", "溫室-控制"),
            ("1. First", "1-first"), ("C++/C#", "cc"), ("Don't [link](x)", "dont-link"),
            ("ÀÉ", "àé"),
            ("emoji 🎉 here", "emoji--here"), ("a — b", "a--b"),
        ])
    func slugs(heading: String, anchor: String) throws {
        #expect(try clean("# \(heading)\n\nx", .markdown).sections.map(\.anchor) == [anchor])
    }

    @Test("repeated headings are numbered, and never collide")
    func repeats() throws {
        let text = ["A", "A", "A-1", "A", "a"].map { "# \($0)\n\nx\n\n" }.joined()
        let anchors = try clean(text, .markdown).sections.map(\.anchor)
        #expect(anchors == ["a", "a-1", "a-1-1", "a-2", "a-3"])
    }

    @Test(
        "titles",
        arguments: [
            (
                "---\ntitle: \"The: Title\"\ntags: [a]\n---\n# H\n\nx", "The: Title",
                ["h|The: Title>H|x"]
            ),
            ("---\ntitle: H\n---\n# H\n\nx", "H", ["h|H|x"]),
            ("+++\ntitle = \"It's\"\n+++\nx", "It's", ["|It's|x"]),
            (
                "---\nno front matter\n---\nx", "no front matter",
                ["no-front-matter|no front matter|x"]
            ),
            ("---\na: b\nnever closed", "page", ["||a: b never closed"]),
            ("## Sub\n\nx\n\n# Main\n\ny", "Main", ["sub|Main>Sub|x", "main|Main|y"]),
            ("text only", "page", ["||text only"]),
        ] as [(String, String, [String])])
    func titles(markdown: String, title: String, expected: [String]) throws {
        let document = try clean(markdown, .markdown)
        #expect(document.title == title)
        #expect(outline(document) == expected)
    }

    @Test("texts that would keep the parser busy for minutes are read as plain text")
    func excessive() throws {
        let texts = [
            String(repeating: "a <?", count: 20_000),
            String(repeating: "www._", count: 20_000),
            "- a\n\n  " + String(repeating: "www._\n      ", count: 20_000),
            String(repeating: "- ", count: 5000) + "a" + String(repeating: "\n", count: 30_000),
            String(repeating: "|x", count: 5000) + "|\n" + String(repeating: "|-", count: 5000)
                + "|\n" + String(repeating: "|y\n", count: 5000),
            "|a|b|\n|-|-|\n" + String(repeating: "|", count: 50_000),
            "http://a.b/" + String(repeating: ")", count: 50_000),
        ]
        for text in texts {
            #expect(
                try clean(text, .markdown)
                    .findings.isEmpty == false)
        }
        let ordinary = [
            (0..<2000).map { "Sentence \($0) with (a link)[http://x.y/\($0)] and a@b.c.\n" },
            (0..<3000).map { "- [item \($0)](http://x.y/\($0)): *what* it is, and `why_so`." },
            (0..<3000).map { "\($0). [item](http://x.y/\($0)): *what* it is, and `why_so`." },
            ["| a | b | c |", "|---|:-:|---|"]
                + (0..<3000).map { "| \($0) | [x](http://x.y/\($0)) | some more text here. |" },
        ]
        for lines in ordinary {
            #expect(try clean(lines.joined(separator: "\n"), .markdown).findings.isEmpty)
        }
    }
}
