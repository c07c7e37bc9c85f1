import Documents
import Objects
import Testing

@Suite("reStructuredText as text")
struct ReStructuredTextTests {
    @Test(
        "titles and sections",
        arguments: [
            ("", []),
            ("plain\ntext", ["||plain text"]),
            ("A\n=\n\nx\n\nB\n-\n\ny", ["a|A|x", "b|A>B|y"]),
            ("===\n A\n===\n\nB\n===\n\nx\n\nC\n===\n\ny", ["b|A>B|x", "c|A>C|y"]),
            (
                "Too short, and yet a title\n====\n\nx",
                [
                    "too-short-and-yet-a-title|Too short, and yet a title|x"
                ]
            ),
            ("text\n==\n\nx", ["||text ==¦x"]),
            ("A\n=\n\nB\n-\n\nC\n-\n\nx", ["b|A>B|B", "c|A>C|x"]),
            ("日本語\n======\n\nx", ["日本語|日本語|x"]),
            ("Größe *of* ``it``\n=================\n\nx", ["grosze-of-it|Größe of it|x"]),
            (".. _my label:\n\nA\n=\n\nx", ["my-label|A|x"]),
            (".. _gone:\n\ntext\n\nA\n=\n\nx", ["|A|text", "a|A|x"]),
            ("x\n\n----\n\ny", ["||x¦y"]),
            ("A\n=\n\n.. note::\n\n  In a note\n  ---------\n\n  x", ["a|A|Note¦In a note¦x"]),
        ] as [(String, [String])])
    func sections(rst: String, expected: [String]) throws {
        #expect(outline(try clean(rst, .restructuredText)) == expected)
    }

    @Test(
        "inline markup",
        arguments: [
            ("*a* **b** ``c  *d*`` `e`", "a b c *d* e"),
            ("an *unclosed one, ``and another", "an *unclosed one, ``and another"),
            ("2 * 3 * 4, (*) '*' *args **kwargs", "2 * 3 * 4, (*) '*' *args **kwargs"),
            (#"\*not\* H\ :sub:`2`\ O ``a\b`` c\\d"#, #"*not* H2O a\b c\d"#),
            (":class:`~a.b.C` :func:`.f` :meth:`!g` :ref:`text <x>` :new:`t`", "C f g text t"),
            (
                ":py:class:`a.B`, :pep:`8` and :rfc:`9110#section-15`",
                "a.B, PEP 8 and RFC 9110 Section 15"
            ),
            (":file:`/a/{b}` :guilabel:`&Open && go`", "/a/b Open & go"),
            ("`text`:emphasis: and a:b:c", "text and a:b:c"),
            ("|x| and |y|\n\n.. |x| replace:: *put* in", "put in and |y|"),
            ("``MyField``\\s and word_with_underscores_", "MyFields and word_with_underscores_"),
            ("a [1]_ and [#n]_ and [A2]_", "a [1] and [n] and [A2]"),
            ("multi *line\nemphasis* and `text\n<http://a.b>`_", "multi line emphasis and text"),
            ("`` ` `` and ```x```", "`` ` `` and `x`"),
        ])
    func inline(rst: String, expected: String) throws {
        let document = try clean(rst, .restructuredText)
        #expect(document.sections.first?.blocks.first?.text == expected)
    }

    @Test("links are resolved by their text, a target or an anonymous target")
    func links() throws {
        let document = try clean(
            """
            `one <https://a.b/1>`_, two_, `three x`_, four__, https://a.b/5_x, (https://a.b/6).
            :doc:`/topics/db` `one`_ alias_ and here_.

            .. _two: https://a.b/2
            .. _Three X:
               https://a.b/
               3
            .. _alias: two_
            __ https://a.b/4
            .. _here:
            """, .restructuredText)
        let block = try #require(document.sections.first?.blocks.first)
        #expect(
            block.links == [
                "https://a.b/1", "https://a.b/2", "https://a.b/3", "https://a.b/4",
                "https://a.b/5_x", "https://a.b/6", "/topics/db",
            ])
        #expect(
            block.text
                == "one, two, three x, four, https://a.b/5_x, (https://a.b/6). /topics/db one"
                + " alias and here.")
    }

    @Test(
        "lists",
        arguments: [
            ("- a\n- b\n\n  - c\n\n  more\n- d", "- a¦- b¦- c¦more¦- d"),
            ("3. a\n4. b", "3. a¦4. b"),
            ("#. a\n#. b\n\n#. c", "1. a¦2. b¦3. c"),
            ("(i) a\n\nb) x", "(i) a¦b) x"),
            ("A. Einstein was\na physicist", "A. Einstein was a physicist"),
            ("term\n  text\nother : kind\n  more", "term¦text¦other : kind¦more"),
            (":a b: c\n  d\n:e: f", "a b: c d¦e: f"),
            ("-a, --all=FILE  all\n--no\n  not", "-a, --all=FILE all¦--no not"),
            ("| a\n|   b\n| c\n  d", "a¦b¦c d"),
            ("a\n\n   b\n\n   -- c", "a¦b¦-- c"),
            ("* a::\n\n    code\n\n  b", "- a:¦code¦b"),
            (".. [1] one\n   two\n.. [#] three\n.. [X] four", "[1] one two¦[2] three¦[X] four"),
            ("•  a\n•  b", "- a¦- b"),
        ])
    func lists(rst: String, expected: String) throws {
        let document = try clean(rst, .restructuredText)
        #expect(document.sections.first?.blocks.map(\.text).joined(separator: "¦") == expected)
    }

    @Test("code keeps its lines, its indentation and its language")
    func code() throws {
        let document = try clean(
            """
            .. highlight:: c

            One::

                if (x)
                  y();

            Two ::

            > quoted
            > more

            .. code-block:: Python
               :caption: app.py
               :linenos:

                   def f():
               \treturn 1

            >>> 1
            1

            .. sourcecode:: none

               *x*
            """, .restructuredText)
        let blocks = try #require(document.sections.first?.blocks)
        #expect(
            blocks.map(\.text) == [
                "One:", "if (x)\n  y();", "Two", "> quoted\n> more", "app.py",
                "    def f():\n     return 1", ">>> 1\n1", "*x*",
            ])
        #expect(blocks.map(\.language) == [nil, "c", nil, "c", nil, "python", "c", nil])
        #expect(
            blocks.map(\.keepsWithNext) == [true, false, true, false, true, false, false, false])
    }

    @Test(
        "the title of a directive stands above its body",
        arguments: [
            (".. note:: a\n   b\n\n   c", "Note+¦a b¦c"),
            (".. admonition:: Title\n   :class: x\n\n   a", "Title+¦a"),
            (".. versionadded:: 4.2\n\n   a", "New in version 4.2+¦a"),
            (".. deprecated:: 3.1 Use x.", "Deprecated since version 3.1: Use x."),
            (
                ".. function:: f(*a, **k)\n              g(x)\n   :noindex:\n\n   text",
                "f(*a, **k)+¦g(x)+¦text"
            ),
            (".. py:class:: C(x)\n\n   .. method:: m()\n\n      a", "C(x)+¦m()+¦a"),
            (".. setting:: NAME\n\nNAME\n----\n\ntext", "text"),
            (".. envvar:: NAME\n\ntext", "NAME¦text"),
            (".. class:: no-style\n\ntext", "text"),
            (".. only:: html\n\n   a", "a"), (".. rst-class:: x\n\n   a", "a"),
            (".. py:module:: m\n\n   a", "a"),
            (".. glossary::\n\n   a\n   b\n      text", "a+¦b+¦text"),
            (".. figure:: x.png\n   :alt: seen\n\n   caption", "seen+¦caption"),
            (".. unheard:: of\n   :opt: 1\n\n   body", "of+¦body"),
            (".. note\n   hidden", ""),
            ("..\n\n   shown", "shown"),
        ])
    func directives(rst: String, expected: String) throws {
        let blocks = try clean(rst, .restructuredText).sections.first?.blocks ?? []
        let found = blocks.map { $0.text + ($0.keepsWithNext ? "+" : "") }
        #expect(found.joined(separator: "¦") == expected)
    }

    @Test(
        "tables",
        arguments: [
            ("== ==\na  b\n== ==\n1  2 3\n   4\n\n5  6\n== ==", ["a | b*", "1 | 2 3 4", "5 | 6"]),
            ("== ==\n1  2\n== ==", ["1 | 2"]),
            ("== == ==\na  b  c\n----- --\nx  y\n== == ==", ["a b | c", "x | y"]),
            ("+--+--+\n|a |b |\n+==+==+\n|c |d |\n|e |f |\n+--+--+", ["a | b*", "c e | d f"]),
            (
                "+--+--+\n|a |b |\n|  +--+\n|c |d |\n+--+--+\n|wide |\n+-----+",
                ["a c | b", "d", "wide"]
            ),
            ("+----+--+\n|日本|x |\n+----+--+", ["日本 | x"]),
            (
                ".. list-table:: T\n   :header-rows: 1\n\n   * - a\n     - b\n   * - c\n     - d",
                [
                    "T", "a | b*", "c | d",
                ]
            ),
            (
                ".. csv-table::\n   :header: a, \"b, c\"\n\n   1, \"x \"\"y\"\"\"\n   2, 3",
                [
                    "a | b, c*", "1 | x \"y\"", "2 | 3",
                ]
            ),
        ] as [(String, [String])])
    func tables(rst: String, expected: [String]) throws {
        let blocks = try clean(rst, .restructuredText).sections.first?.blocks ?? []
        #expect(blocks.map { $0.text + ($0.isHeader ? "*" : "") } == expected)
    }

    @Test("the report names what was left out and what was not understood")
    func findings() throws {
        let document = try clean(
            """
            .. a comment of six words here
            .. include:: other.txt
            .. image:: x.png
            .. toctree::
               :maxdepth: 2

               a
               b
            .. unheard:: of
            .. raw:: latex

               \\emph{two} words
            .. raw:: html

               <b>shown</b>
            .. automodule:: m
            """, .restructuredText)
        let found = document.findings.map { "\($0.fate.rawValue) \($0.reason) \($0.count)" }
        #expect(
            found == [
                "left-out comment 6", "left-out include 1", "left-out image 1",
                "left-out toctree 2", "not-understood directive 1", "left-out raw 2",
                "left-out autodoc 1",
            ])
        #expect(outline(document) == ["||of¦shown"])
    }

    @Test("metadata")
    func metadata() throws {
        let document = try clean(
            """
            :orphan:

            Title
            =====

            :Author: Kim *Ito*
            :Date: 2026-01-01

            .. meta::
               :description lang=en: About
                  this.

            text
            """, .restructuredText)
        let metadata = document.metadata.members.map { "\($0.key)=\($0.value.string ?? "")" }
        #expect(metadata == ["author=Kim Ito", "date=2026-01-01", "description=About this."])
        #expect(document.title == "Title")
        #expect(outline(document) == ["title|Title|Author: Kim Ito¦Date: 2026-01-01¦text"])
    }

    @Test("reStructuredText in a .txt file is recognised and reported")
    func detection() throws {
        let texts = [
            ".. note::\n\n   a", "See :ref:`x`.", "A\n=\n\n``b``", ".. _x:\n\nA\n=",
            "A\n=\n\nb::\n\n c",
        ]
        for text in texts {
            let reasons = try clean(text, .text).findings.map(\.reason)
            #expect(reasons.contains("format"), "\(text)")
        }
        for text in ["A\n=\n\nb", "at 12:30: `x`", "a :: b", ".. and so on", "x = `a`:`b`"] {
            #expect(try clean(text, .text).findings.isEmpty, "\(text)")
        }
    }

    @Test("no text takes quadratic time")
    func hostile() throws {
        let count = 4000
        let texts = [
            String(repeating: "*a ", count: count), String(repeating: "`a ", count: count),
            String(repeating: "|a ", count: count), String(repeating: "``a ", count: count),
            String(repeating: "a_a_", count: count), String(repeating: ":a:", count: count),
            String(repeating: "http://", count: count) + String(repeating: ")", count: count),
            String(repeating: "- ", count: count) + "a",
            (0..<600).map { String(repeating: " ", count: $0) + "a\n" }.joined(),
            (0..<600).reversed().map { String(repeating: " ", count: $0) + "a\n" }.joined(),
            String(repeating: "== ==\n\n", count: count),
            String(repeating: "== ==\n", count: count),
            "+" + String(repeating: "-+", count: count) + "\n"
                + String(repeating: "|\n", count: count),
            String(repeating: ".. note:: ", count: count),
            ".. |a| replace:: |a||a|\n\n" + String(repeating: "|a| ", count: count),
            String(repeating: ".. |a| replace:: b\n", count: count),
            String(repeating: "[#]_ ", count: count)
                + String(repeating: "\n.. [#] a", count: count),
            String(repeating: ".. setting:: a\n", count: count) + "\nA\n=\n",
        ]
        let start = ContinuousClock.now
        for text in texts { _ = try clean(text, .restructuredText) }
        #expect(ContinuousClock.now - start < .seconds(60))
    }

    @Test("markup nested too deep is read as text and reported")
    func nesting() throws {
        let text = (0..<100).map { String(repeating: "  ", count: $0) + "- item\($0)\n\n" }.joined()
        let document = try clean(text, .restructuredText)
        let all = document.sections.flatMap { $0.blocks.map(\.text) }.joined(separator: " ")
        for number in 0..<100 { #expect(all.contains("item\(number)")) }
        #expect(document.findings.contains { $0.reason == "nesting" })
    }
}
