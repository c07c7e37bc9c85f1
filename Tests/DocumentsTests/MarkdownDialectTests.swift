import Documents
import TestSupport
import Testing

@Suite("Dialects of Markdown")
struct MarkdownDialectTests {
    private func outlined(_ text: String, _ format: DocumentFormat = .markdown) throws -> [String] {
        outline(try clean(text, format))
    }

    @Test(
        "containers are read as Markdown, below their titles",
        arguments: [
            (
                "!!! note \"A *title*\"\n    Text **b**\n\n    - one\n\nafter",
                ["A title", "Text b", "- one", "after"]
            ),
            ("!!! warning\n    Text", ["Warning", "Text"]),
            ("??? tip \"\"\n    Text", ["Text"]),
            (
                "- item\n\n    !!! note\n        In it.\n\n        ```py\n        a = 1\n        ```\n",
                ["- item", "Note", "In it.", "a = 1"]
            ),
            (
                "=== \"C\"\n\n    ``` c\n    int x;\n    ```\n\n=== \"D\"\n\n    text",
                ["C", "int x;", "D", "text"]
            ),
            (
                "!!! note\n    !!! tip \"In\"\n        deep\n\n    back\n\nout",
                ["Note", "In", "deep", "back", "out"]
            ),
            ("    !!! note\n        code", ["!!! note\n    code"]),
            (":::note Title\nText\n:::\nafter", ["Title", "Text", "after"]),
            (":::tip[A title]\n\nText\n\n:::", ["A title", "Text"]),
            ("::: {.callout-note}\n## Head\n\nText\n:::", ["Note", "Head", "Text"]),
            ("::: details More\nText\n:::", ["More", "Text"]),
            ("```{note} A title\nText *b*\n```\nafter", ["A title", "Text b", "after"]),
            ("````{warning}\n```py\nx\n```\n````\nafter", ["Warning", "x", "after"]),
            ("> [!NOTE]\n> Text", ["Note", "Text"]),
            ("/// note | A title\nText\n///", ["A title", "Text"]),
            (
                "Term\n: First\n: Second\n\n    More\n\nafter",
                ["Term", "First", "Second", "More", "after"]
            ),
            ("Term\n\n:   Text\n    goes on\n", ["Term", "Text goes on"]),
            ("time: 5\n: 6 is not\n\n", ["time: 5", "6 is not"]),
        ] as [(String, [String])])
    func containers(text: String, blocks: [String]) throws {
        let document = try clean(text, .markdown)
        #expect(document.sections.flatMap(\.blocks).map(\.text) == blocks)
    }

    @Test("titles of containers stay with their text")
    func labels() throws {
        let text = "!!! note \"A\"\n    b\n\n=== \"C\"\n    d\n\nTerm\n: e\n\nplain"
        let blocks = try clean(text, .markdown).sections.flatMap(\.blocks)
        #expect(blocks.filter(\.keepsWithNext).map(\.text) == ["A", "C", "Term"])
    }

    @Test(
        "footnotes are text, even without a reference",
        arguments: [
            ("A note[^x].\n\n[^x]: WORD", ["A note[x].", "[x] WORD"]),
            ("[^1]: https://a.example/b", ["[1] https://a.example/b"]),
            (
                "[^a]: One\n[^b]: Two\n    goes on\n\n    - item\n\nafter",
                ["[a] One", "[b] Two goes on", "- item", "after"]
            ),
            ("`[^x]` and \\[^y]", ["[^x] and [^y]"]),
            ("[^x](http://a.example)", ["^x"]),
        ] as [(String, [String])])
    func footnotes(text: String, blocks: [String]) throws {
        #expect(try clean(text, .markdown).sections.flatMap(\.blocks).map(\.text) == blocks)
    }

    @Test(
        "code keeps its lines and its language",
        arguments: [
            ("```python title=\"a.py\" hl_lines=\"1\"\nx\n```", "python", ["a.py", "x"]),
            ("``` {.Python .numberLines}\nx\n```", "python", ["x"]),
            ("```{python}\n#| label: a\nx\n```", "python", ["#| label: a\nx"]),
            ("```{r, echo=FALSE}\nx\n```", "r", ["x"]),
            ("```{r name}\nx\n```", "r", ["x"]),
            ("```{code-block} yaml\nx\n```", "yaml", ["x"]),
            ("```js {1,3}\nx\n```", "js", ["x"]),
            ("```\nx\n```", nil, ["x"]),
            ("~~~C++\n\tx\n~~~", "c++", ["\tx"]),
            ("```sh\n    a\n  b\n```", "sh", ["    a\n  b"]),
            ("1. ```sh\n   a\n   ```\n2. b", "sh", ["1.", "a", "2. b"]),
            ("{% highlight ruby %}\na\n```\nb\n{% endhighlight %}\n", "ruby", ["a\n```\nb"]),
        ] as [(String, String?, [String])])
    func code(text: String, language: String?, blocks: [String]) throws {
        let found = try clean(text, .markdown).sections.flatMap(\.blocks)
        #expect(found.map(\.text) == blocks)
        #expect(found.first { $0.kind == .code }?.language == language)
    }

    @Test("attributes are removed and name their heading")
    func attributes() throws {
        let text = """
            ## A head {#own .cls}

            [Link](http://a.example){.button target=_blank} and `code`{.py} {not one}.
            {: .lead }

            ## Other { #two }

            x
            """
        #expect(
            try outlined(text)
                == [
                    "own|A head|Link and code {not one}.", "two|A head>Other|x",
                ].map { $0.replacing("A head>Other", with: "A head>Other") })
    }

    @Test("links keep targets; images and comments are counted")
    func links() throws {
        let text = """
            [a](http://a.example) [b](b.md) [a](http://a.example) <a href="/c">c</a>

            | x | y |
            |---|---|
            | [d](d.md) | ![alt text](i.png) |

            <!-- two words -->

            end <!-- one --> here
            """
        let document = try clean(text, .markdown)
        let blocks = document.sections.flatMap(\.blocks)
        #expect(blocks.map(\.links) == [["http://a.example", "b.md", "/c"], [], ["d.md"], []])
        #expect(blocks.map(\.isHeader) == [false, true, false, false])
        #expect(blocks.map(\.text).last == "end here")
        let counts = Dictionary(
            uniqueKeysWithValues: document.findings.map { ("\($0.fate) \($0.reason)", $0.count) })
        #expect(counts == ["leftOut image": 1, "leftOut comment": 3])
    }

    @Test("references to C1 controls are Windows-1252")
    func references() throws {
        let document = try clean("5&#150;10 &#x80;", .markdown)
        #expect(document.sections[0].blocks.map(\.text) == ["5–10 €"])
        #expect(document.findings.map(\.count) == [2])
    }

    @Test(
        "includes and template tags are reported",
        arguments: [
            ("--8<-- \"docs/a.md\"\n\ntext", ["text"], "docs/a.md"),
            (
                "```py\n{!> ../src/a.py !}\n```\n\ntext", ["{!> ../src/a.py !}", "text"],
                "../src/a.py"
            ),
            ("{* ../src/a.py hl[1] *}\n\ntext", ["text"], "../src/a.py hl[1]"),
            ("{% include \"a.md\" %}\n\ntext", ["text"], "\"a.md\""),
            ("{% hint style=\"info\" %}\ntext\n{% endhint %}", ["text"], "hint"),
            ("{{< tab \"Linux\" >}}\ntext\n{{< /tab >}}", ["Linux", "text"], "tab"),
            ("On {{ site.name_x }} *b*", ["On {{ site.name_x }} b"], "site.name_x"),
        ] as [(String, [String], String)])
    func templates(text: String, blocks: [String], detail: String) throws {
        let document = try clean(text, .markdown)
        #expect(document.sections.flatMap(\.blocks).map(\.text) == blocks)
        #expect(document.findings.map(\.detail) == [detail])
    }

    @Test("MDX: tags are removed, and their visible text stays")
    func mdx() throws {
        let text = """
            import Tabs from '@theme/Tabs'
            export const x = {
              a: 1
            }

            # Head {#own}

            <Tabs groupId="os">
              <TabItem value="a" label="On Linux">

                Run **it**:

                ```sh
                  make
                ```

              </TabItem>
              <TabItem value="b" label={'On Mac'}>- one</TabItem>
            </Tabs>

            Some <Highlight color={c}>text</Highlight> and {/* no */} {1 + 1} {'str'} `{x}`.

            <Card title="A card" icon={<Icon />} />

            :::tip Title

            note

            :::
            """
        let document = try clean(text, .mdx)
        #expect(
            outline(document) == [
                "own|Head|On Linux¦Run it:¦  make¦On Mac¦- one¦Some¦text¦and str {x}.¦A card¦Title¦note"
            ])
        let reasons = document.findings.map { "\($0.reason) \($0.count)" }.sorted()
        #expect(reasons == ["comment 1", "expression 1", "import 4"])
    }

    @Test("HTML with Markdown in it")
    func html() throws {
        let text = "<details>\n<summary>More</summary>\n\nText **b**\n\n    !!! no\n\n</details>"
        #expect(try outlined(text) == ["||More¦Text b¦!!! no"])
        #expect(try outlined("<pre>\n[^x]: a\n!!! note\n</pre>") == ["||[^x]: a\n!!! note"])
    }

    @Test("any text is read in linear time", arguments: [DocumentFormat.markdown, .mdx])
    func hostile(format: DocumentFormat) throws {
        let parts = [
            "!!! a\n    ", "::: a\n", "<a ", "<A b={", "{{", "{%", "[^", "`", "{", "{#a ",
            "x\n: y\n",
            "[^a]: ", "- ", "> ", "```{note}\n", "=== \"a\"\n    ", "<table>", "<svg>",
            "{/* ", "import a\n", "--8<-- a\n", "/// a\n", "***", "<!--", "&#150;",
        ]
        for part in parts {
            let text = String(repeating: part, count: 60_000 / part.utf8.count)
            let duration = try ContinuousClock().measure { _ = try clean(text, format) }
            #expect(duration < .seconds(20), "\(part)")
        }
        var nested = ""
        for depth in 0..<300 {
            nested += String(repeating: "    ", count: depth) + "!!! note \"t\(depth)\"\n"
        }
        #expect(try !clean(nested, format).sections.isEmpty)
    }

    @Test("every word of a text is in a block, whatever surrounds it")
    func nothingIsLost() throws {
        var generator = SeededGenerator(seed: 12)
        let marks = [
            "\n", "\n\n", " ", "    ", "- ", "1. ", "> ", "!!! note \"", "\"\n", "=== \"",
            ":::note ", ":::\n",
            ": ", "[^", "] ", "```\n", "# ", "| ", "**", "`", "(", ")", "/// ", "~~~\n",
        ]
        for round in 0..<400 {
            var text = ""
            var words: [String] = []
            for index in 0..<Int(generator.next() % 30) {
                if generator.next() % 2 == 0 {
                    text += marks[Int(generator.next() % UInt64(marks.count))]
                } else {
                    let word = "w\(round)x\(index)z"
                    words.append(word)
                    text += " " + word + " "
                }
            }
            let document = try clean(text, .markdown)
            let found = document.sections.map { section in
                (section.headings + section.blocks.map(\.text)
                    + section.blocks.compactMap(\.language))
                    .joined(separator: " ")
            }.joined(separator: " ")
            let missing = words.filter { !found.contains($0) }
            #expect(missing.isEmpty, "\(missing) of \(text.debugDescription)")
        }
    }
}
