import Documents
import Objects
import Testing

@Suite("AsciiDoc as text")
struct AsciiDocTests {
    @Test(
        "titles and sections",
        arguments: [
            ("", []),
            ("= T\n\na\n\n== B\n\nb\n\n=== C\n\nc", ["t|T|a", "_b|T>B|b", "_c|T>B>C|c"]),
            ("== A B.c\n\nx", ["_a_b_c|A B.c|x"]),
            ("= T\n:idprefix:\n:idseparator: -\n\n== A b\n\nx", ["a-b|T>A b|x"]),
            ("[[own]]\n== A\n\nx", ["own|A|x"]), ("[#own]\n== A\n\nx", ["own|A|x"]),
            ("== A [[own]]\n\nx", ["own|A|x"]),
            ("Title\n=====\n\nPart\n----\n\nx", ["_part|Title>Part|x"]),
            ("== A ==\n\n== B\n\nx", ["_a|A|A", "_b|A>B|x"]),
            ("# M\n\n## N\n\nx", ["_n|M>N|x"]),
            ("== A\n\n[discrete]\n=== B\n\nx", ["_a|A|B¦x"]),
        ] as [(String, [String])])
    func sections(adoc: String, expected: [String]) throws {
        let found = outline(try clean(adoc, .asciidoc))
        // The document title comes first; without one, the first heading does.
        #expect(found == expected)
    }

    @Test(
        "inline markup",
        arguments: [
            ("*a* _b_ `c` #d# **e**f __g__h x^2^ y~i~", "a b c d ef gh x2 yi"),
            ("*_a_ `b`* snake_case_name 2 * 3 * 4", "a b snake_case_name 2 * 3 * 4"),
            (#"\*a* and \{x} `+a_b_+` +++<u>c</u>+++"#, "*a* and {x} a_b_ <u>c</u>"),
            (":x: val\n\nan {x} {nox} {nbsp}b", "an val {nox} b"),
            (
                "see <<id,the text>>, <<other>> and xref:a.adoc#b[there]",
                "see the text, other and there"
            ),
            ("<<own>> and <<_b>>\n\n[[own]]\n== The *A*\n\n== B", "The A and B"),
            ("kbd:[Ctrl+C] btn:[OK] menu:File[Save > As]", "Ctrl+C OK File > Save > As"),
            ("image:x.png[Alt, 20] (((hidden,x)))((shown))", "Alt shown"),
            ("[.role]#text# [[here]]there", "text there"),
            (#""`quoted`" and '`single`'"#, #""quoted" and 'single'"#),
            ("one +\ntwo", "one two"),
            ("a *unclosed _b", "a *unclosed _b"),
            ("// no\ntext", "text"),
        ])
    func inline(adoc: String, expected: String) throws {
        let document = try clean(adoc, .asciidoc)
        #expect(document.sections.first?.blocks.first?.text == expected)
    }

    @Test("links and footnotes")
    func links() throws {
        let document = try clean(
            """
            :base: https://a.b

            https://a.b/1[one *x*], https://a.b/2. link:3.html[three,window=_blank]
            {base}/4[four^] mailto:k@a.b[mail] <https://a.b/5>footnote:[See {base}/6[six].]
            """, .asciidoc)
        let blocks = try #require(document.sections.first?.blocks)
        #expect(
            blocks.map(\.text) == [
                "one x, https://a.b/2. three four mail https://a.b/5[1]", "[1] See six.",
            ])
        #expect(
            blocks.map(\.links) == [
                [
                    "https://a.b/1", "https://a.b/2", "3.html", "https://a.b/4", "mailto:k@a.b",
                    "https://a.b/5",
                ], ["https://a.b/6"],
            ])
    }

    @Test(
        "blocks",
        arguments: [
            ("* a\n** b\n* c\n+\nmore\n\nend", "- a¦- b¦- c¦more¦end"),
            (". a\n.. b\n.. c\n. d", "1. a¦a. b¦b. c¦2. d"),
            ("[start=4]\n. a\n. b", "4. a¦5. b"),
            ("t1:: d1\nt2::\n  d2", "t1+¦d1¦t2+¦d2"),
            ("NOTE: a\nb", "Note+¦a b"),
            ("[WARNING]\n.Title\n====\na\n\n* b\n====", "Warning+¦Title+¦a¦- b"),
            ("[quote, Kim, Book]\n____\na\n____", "a¦— Kim, Book"),
            ("====\nouter\n\n=====\ninner\n=====\n====\nend", "outer¦inner¦end"),
            ("----\nnever closed", "never closed"),
            ("ifdef::x[]\nshown\nendif::[]", "shown"),
            ("a\n\n'''\n\nb", "a¦b"),
            ("<1> one\n<.> two", "<1> one¦<2> two"),
        ])
    func blocks(adoc: String, expected: String) throws {
        let blocks = try clean(adoc, .asciidoc).sections.first?.blocks ?? []
        let found = blocks.map { $0.text + ($0.keepsWithNext ? "+" : "") }
        #expect(found.joined(separator: "¦") == expected)
    }

    @Test("code keeps its lines, its indentation and its language")
    func code() throws {
        let document = try clean(
            """
            .app.py
            [source,Python]
            ----
              def f():
            \treturn *1* # <1>
            ----

            ```sh
            echo
            ```

            ....
              deep
            ....

             indented
               more

            [source%linenums,c]
            int x;
            """, .asciidoc)
        let blocks = try #require(document.sections.first?.blocks)
        #expect(
            blocks.map(\.text) == [
                "app.py", "  def f():\n\treturn *1* # <1>", "echo", "  deep", "indented\n  more",
                "int x;",
            ])
        #expect(blocks.map(\.language) == [nil, "python", "sh", nil, nil, "c"])
        #expect(blocks.first?.keepsWithNext == true)
    }

    @Test(
        "tables",
        arguments: [
            ("|===\n|a |b\n\n|1\n|2\n|3 |4\n|===", ["a | b*", "1 | 2", "3 | 4"]),
            ("[cols=\"1,1\",options=\"header\"]\n|===\n|a\n|b\n|1\n|2\n|===", ["a | b*", "1 | 2"]),
            ("|===\n2+|wide |x\n|a|b|c\n|===", ["wide | x", "a | b | c"]),
            ("[cols=2*]\n|===\n.2+|tall |x\n|y\n|a |b\n|===", ["tall | x", "y", "a | b"]),
            ("[%header,format=csv]\n|===\na,\"b, c\"\n1,2\n|===", ["a | b, c*", "1 | 2"]),
            ("[cols=\"1,1a\"]\n|===\n|x\n|* y\n* z\n|===", ["x | - y - z"]),
            (#"|===\#n|a \| b \#n|===\#n"#, ["a | b"]),
        ] as [(String, [String])])
    func tables(adoc: String, expected: [String]) throws {
        let blocks = try clean(adoc, .asciidoc).sections.first?.blocks ?? []
        #expect(blocks.map { $0.text + ($0.isHeader ? "*" : "") } == expected)
    }

    @Test("metadata and omissions")
    func metadata() throws {
        let document = try clean(
            """
            // two words
            = The Guide
            Kim Ito <k@a.b>; Ann Lee
            v1.2, 2026-01-01: Remark
            :toc:
            :description: All of \\
              it

            include::x.adoc[]
            image::y.png[Alt text]

            ++++
            <b>raw</b>
            ++++
            """, .asciidoc)
        let metadata = document.metadata.members.map { "\($0.key)=\($0.value.string ?? "")" }
        #expect(
            metadata == [
                "author=Kim Ito, Ann Lee", "description=All of it", "email=k@a.b",
                "revdate=2026-01-01", "revnumber=1.2",
            ])
        #expect(document.title == "The Guide")
        let found = document.findings.map { "\($0.fate.rawValue) \($0.reason) \($0.count)" }
        #expect(
            found == [
                "left-out include 1", "left-out comment 2", "left-out image 1",
            ])
        #expect(outline(document) == ["the-guide|The Guide|Alt text¦raw"])
    }

    @Test("no text takes quadratic time")
    func hostile() throws {
        let count = 4000
        let texts = [
            String(repeating: "*a ", count: count), String(repeating: "`a ", count: count),
            String(repeating: "*a* _b ", count: count), String(repeating: "link:", count: count),
            String(repeating: "link:a[", count: count), String(repeating: "https://", count: count),
            String(repeating: "<<a ", count: count), String(repeating: "((a", count: count),
            String(repeating: "[[a", count: count), String(repeating: "^a ", count: count),
            String(repeating: "footnote:[", count: count),
            (4..<500).map { String(repeating: "=", count: $0) + "\n" }.joined(),
            String(repeating: "* a\n+\n====\n", count: count),
            "|===\n" + String(repeating: "99*|", count: count),
            "|===\n" + String(repeating: "99.99+|", count: count),
            ":a: b\n" + String(repeating: ":a: {a}{a}\n", count: 1000) + "\n"
                + String(repeating: "{a}", count: count),
            String(repeating: "a:: ", count: count), String(repeating: "a::b", count: count),
        ]
        let start = ContinuousClock.now
        for text in texts { _ = try clean(text, .asciidoc) }
        #expect(ContinuousClock.now - start < .seconds(60))
    }
}
