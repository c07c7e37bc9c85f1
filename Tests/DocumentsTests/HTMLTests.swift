@testable import Documents
import Objects
import Testing

@Suite("HTML as text")
struct HTMLTests {
    @Test(
        "blocks and sections",
        arguments: [
            ("", []),
            ("just text", ["||just text"]),
            ("<p>a<p>b &amp; c&nbsp;d &mdash; &#x41;", ["||a¦b & c d — A"]),
            ("<h1>T</h1><p>x</p><h2 id=s>S</h2>y<div>z</div>", ["t|T|x", "s|T>S|y¦z"]),
            (
                "<body><nav>n</nav><header>h<h1>T</h1></header><p>x</p><footer>f</footer>",
                ["|T|h", "t|T|x"]
            ),
            ("<body>out<main><p>in</p></main>out", ["||in"]),
            ("<body>out<article><p>in</p></article>out", ["||in"]),
            ("<body>a<article>b</article><article>c</article>", ["||a¦b¦c"]),
            ("<div role=main>in</div><p>out", ["||in"]),
            (
                "<script>s</script><style>t</style><noscript>n</noscript><template>m</template>x",
                ["||x"]
            ),
            (
                "<div class='navheader'>n</div><div class=\"a toc b\"><a href=u>t</a></div>"
                    + "<p class=related>kept</p>x",
                ["||kept¦x"]
            ),
            (
                "<div class=footer>© 2023 Somebody. Created by a program.</div>"
                    + "<div class=footer-relations><a href=u>n</a></div><div class=footer>kept</div>",
                ["||kept"]
            ),
            ("<aside role=navigation>n</aside><aside>kept</aside>", ["||kept"]),
            ("<div hidden>h</div><b aria-hidden=true>h</b>x", ["||x"]),
            ("<ul><li>a<li><p>b</p><p>c</p><ol start=3><li>d</ol></ul>", ["||- a¦- b¦c¦3. d"]),
            ("<pre>a  b\n\tc\n\n\n\nd</pre>", ["||a  b\n\tc\n\nd"]),
            (
                "<table><caption>C</caption><tr><th>a<th>b<tr><td><p>1</p>x<td>2</table>",
                ["||C¦a | b¦1 x | 2"]
            ),
            ("<table><tr><td><h2>H</h2><p>layout</td></tr></table>", ["h|H|layout"]),
            ("<table><tr><th>a<tr><td>1<table><tr><td>2</table></table>", ["||a¦1 2"]),
            (
                "<h2>A</h2>x<div class=note><h3>Note</h3>n</div>y",
                ["a|A|x¦Note¦n¦y"]
            ),
            ("<dl><dt>t<dd>d</dl>", ["||t¦d"]),
            ("a<br>b<b>c</b><i> d</i>", ["||a bc d"]),
            ("<h2>A<a class=headerlink href=#a>¶</a></h2>x", ["a|A|x"]),
            ("<h2><a name=old></a>A</h2>x", ["old|A|x"]),
            ("<h1></h1><p>x</p>", ["||x"]),
            ("<!-- c --><p>x<!-- d -->y", ["||xy"]),
            ("<frameset><frame src=x></frameset>", []),
        ] as [(String, [String])])
    func blocks(html: String, expected: [String]) throws {
        #expect(outline(try clean(html, .html)) == expected)
    }

    @Test("DocBook: a heading has the id of the division that it opens")
    func docBook() throws {
        let page = """
            <html><head><title>9.1. Logic</title></head><body><div class="navheader"><table><tr><th>9</th>
            </tr></table></div><div class="sect1" id="LOGIC"><div class="titlepage"><div><div><h2
            class="title">9.1. Logic</h2></div></div></div><p>One.</p><div class="sect2" id="AND"><div
            class="titlepage"><h3>And</h3></div><p>Two.</p></div><div class="refsect"><h3>Notes</h3>
            <p>Three.</p></div></div><div class="navfooter">Next</div></body></html>
            """
        let document = try clean(page, .html)
        #expect(document.title == "9.1. Logic")
        #expect(
            outline(document) == [
                "LOGIC|9.1. Logic|One.", "AND|9.1. Logic>And|Two.", "notes|9.1. Logic>Notes|Three.",
            ])
    }

    @Test("Sphinx: a heading has the id of its section; sidebars and paragraph signs go")
    func sphinx() throws {
        let page = """
            <body><div class="related" role="navigation">top</div><div class="document"><div class="body"
            role="main"><section id="api"><span id="x"></span><h1>API<a class="headerlink"
            href="#api" title="Permalink">¶</a></h1><p>Intro</p><section id="calls"><h2>Calls</h2><div
            class="highlight"><pre><span></span>f<span class="p">()</span>
            g()</pre></div></section></section></div></div><div class="sphinxsidebar">side</div></body>
            """
        #expect(
            outline(try clean(page, .html)) == ["api|API|Intro", "calls|API>Calls|f()\ng()"])
    }

    @Test("a page without headings is named by its title")
    func title() throws {
        #expect(try clean("<title> A\nB </title><p>x", .html).title == "A B")
        #expect(try clean("<title></title><p>x", .html, path: "d/name.html").title == "name")
    }

    @Test(
        "words are separated as a browser shows them",
        arguments: [
            ("5&#150;10 Nm &#x80;5 Don&#146;t", ["||5–10 Nm €5 Don’t"]),
            ("a<![CDATA[ <script> & b ]]>c", ["||a <script> & b c"]),
            ("a<!bogus>b<?php x ?>c</ bogus>d<!-->e<!--->f", ["||abcdef"]),
            ("a < b & c &amp d &notit; &copy2", ["||a < b & c & d ¬it; ©2"]),
            ("<my-card>one</my-card><my-card>two</my-card>.", ["||one two."]),
            ("in<b class=x>line</b>, <u>w</u>ord<wbr>s", ["||inline, words"]),
            (
                "10<sup>6</sup> m<sup>-2</sup>, the 1<sup>st</sup>, said<sup><a href=#n>1</a></sup>",
                ["||10^6 m^-2, the 1st, said [1]"]
            ),
            ("<p>one<p>two<table><tr><td>a<td>b<tr><td>c</table>", ["||one¦two¦a | b¦c"]),
            (
                "<ol type=a start=2><li>x<li>y</ol><ol type=I><li value=4>z</ol>",
                ["||b. x¦c. y¦IV. z"]
            ),
            (
                "<ul><li><input type=checkbox checked> done<li><input type=checkbox> open</ul>",
                ["||- [x] done¦- [ ] open"]
            ),
            ("x <img src=a alt='A plan'>y", ["||x A plan y"]),
            (
                "<table><tr><th>k<th>s<th>p<tr><td rowspan=2>a<td>b<td>c<tr><td>d<td>e</table>",
                ["||k | s | p¦a | b | c¦| d | e"]
            ),
            ("<ol reversed><li>a<li>b</ol>", ["||2. a¦1. b"]),
            ("<math><mi>x</mi><mo>=</mo><mn>1</mn></math>", ["||x=1"]),
        ] as [(String, [String])])
    func browser(html: String, expected: [String]) throws {
        #expect(outline(try clean(html, .html)) == expected)
    }

    @Test("collapsed text is content, below its summary")
    func panels() throws {
        let accordion = """
            <main><h1>FAQ</h1><h2><button aria-controls="p1" aria-expanded="false">How?</button></h2>
            <div id="p1" hidden><p>So.</p></div><button data-bs-target="#p2"><h2>Why?</h2></button>
            <div id="p2" aria-hidden="true">Because.</div>
            <details><summary>When?</summary>Now.</details>
            <div role="tabpanel" hidden>Tab.</div></main>
            """
        #expect(
            outline(try clean(accordion, .html))
                == [
                    "faq|FAQ|FAQ", "how|FAQ>How?|So.", "why|FAQ>Why?|Because.¦When?¦Now.¦Tab.",
                ].filter { !$0.hasPrefix("faq") })
        let whole = "<main class=toc aria-hidden=true><p>text</p></main>"
        #expect(outline(try clean(whole, .html)) == ["||text"])
    }

    @Test("omissions are counted")
    func counts() throws {
        let page = """
            <body><nav>to find the way</nav><div class="sidebar"><a href="x">one two</a> three</div>
            <main><p>one two three</p><svg><text>label</text></svg><img src="a.png">
            <select><option>no</option></select></main><footer>f</footer></body>
            """
        #expect(
            findings(try clean(page, .html)) == [
                "left-out graphic 1 words", "left-out image 1 images", "left-out form 1 words",
                "left-out navigation 8 words",
            ])
    }

    @Test("code keeps its lines, its indentation and its language")
    func code() throws {
        let page = """
            <div class="highlight-python3"><div class="highlight"><pre><span class="linenos">1</span>  def f():
            <span class="linenos">2</span>      return 1</pre></div></div>
            <pre><code class="language-Rust">fn x() {}</code></pre>
            <pre data-lang="sql"><div>select 1</div><div>  from t</div></pre><pre>plain</pre>
            <ol><li><pre>first</pre></li></ol>
            """
        let blocks = try clean(page, .html).sections.flatMap(\.blocks)
        #expect(
            blocks.map(\.text) == [
                "  def f():\n      return 1", "fn x() {}", "select 1\n  from t", "plain", "1.",
                "first",
            ])
        #expect(blocks.map(\.language) == ["python3", "rust", "sql", nil, nil, nil])
    }

    @Test("header rows, terms and captions are recognised; links keep their targets")
    func structure() throws {
        let page = """
            <table><caption>C</caption><thead><tr><td>a<td>b</thead><tr><td>1<td><a href="/x">2</a></table>
            <table><tr><th>h<th>i<tr><th>r<td>v</table><dl><dt>t<dd>d</dl>
            <p><a href="#in">a</a> <a href="b.html">b</a> <a href="javascript:x()">c</a></p>
            """
        let blocks = try clean(page, .html).sections.flatMap(\.blocks)
        #expect(blocks.filter(\.isHeader).map(\.text) == ["a | b", "h | i"])
        #expect(blocks.filter(\.keepsWithNext).map(\.text) == ["C", "t"])
        #expect(blocks.flatMap(\.links) == ["/x", "b.html"])
    }

    @Test("Confluence: macros, code, tasks, links and panels")
    func confluence() throws {
        let page = """
            <h1>Deploy</h1><p>See <ac:link><ri:page ri:content-title="Run book" /></ac:link> and
            <ac:link><ri:page ri:content-title="X" /><ac:plain-text-link-body><![CDATA[this]]></ac:plain-text-link-body></ac:link>.</p>
            <ac:structured-macro ac:name="code"><ac:parameter ac:name="language">bash</ac:parameter>
            <ac:parameter ac:name="linenumbers">true</ac:parameter><ac:plain-text-body><![CDATA[#!/bin/sh
              cat <<'E' > x.html
            <script src="a"></ac:plain-text-body>]]></ac:plain-text-body></ac:structured-macro>
            <ac:structured-macro ac:name="info"><ac:parameter ac:name="title">Mind</ac:parameter>
            <ac:rich-text-body><p>the <strong>gap</strong></p></ac:rich-text-body></ac:structured-macro>
            <ac:structured-macro ac:name="toc" /><ac:task-list><ac:task><ac:task-id>7</ac:task-id>
            <ac:task-status>complete</ac:task-status><ac:task-body>ship it</ac:task-body></ac:task></ac:task-list>
            <p>State: <ac:structured-macro ac:name="status"><ac:parameter ac:name="title">DONE</ac:parameter></ac:structured-macro> since
            <time datetime="2026-01-02" /></p><p>after</p>
            """
        let blocks = try clean(page, .html).sections.flatMap(\.blocks)
        #expect(
            blocks.map(\.text) == [
                "See Run book and this.",
                "#!/bin/sh\n  cat <<'E' > x.html\n<script src=\"a\"></ac:plain-text-body>", "Mind",
                "the gap", "- [x] ship it", "State: DONE since 2026-01-02", "after",
            ])
        #expect(blocks[1].language == "bash")
    }

    @Test("metadata")
    func metadata() throws {
        let page = """
            <html lang=de><head><meta name="Author" content="A"><meta property="article:tag" content="x">
            <meta property="article:tag" content="y"><link rel="canonical" href="https://e.org/p"></head>
            <body><time datetime="2026-01-02T03:04:05Z">then</time></body></html>
            """
        let metadata = try clean(page, .html).metadata
        #expect(metadata["lang"] == "de")
        #expect(metadata["author"] == "A")
        #expect(metadata["article:tag"] == ["x", "y"])
        #expect(metadata["canonical"] == "https://e.org/p")
        #expect(metadata["time"] == "2026-01-02T03:04:05Z")
    }

    @Test("encodings")
    func encodings() throws {
        func text(_ bytes: [UInt8]) throws -> [String] {
            outline(try CleanDocument(RawDocument(path: "page", format: .html, bytes: bytes)))
        }
        #expect(try text([0xEF, 0xBB, 0xBF] + Array("<p>é".utf8)) == ["||é"])
        #expect(try text(Array("<p>caf".utf8) + [0xE9, 0x20, 0x80]) == ["||café €"])
        let japanese: [UInt8] = [0x93, 0xFA, 0x96, 0x7B]
        #expect(try text(Array("<meta charset=shift_jis><p>".utf8) + japanese) == ["||日本"])
        let declared = Array("<?xml version='1.0' encoding=\"Shift_JIS\"?><p>".utf8)
        #expect(try text(declared + japanese) == ["||日本"])
        let late = Array(
            "<!--\(String(repeating: " ", count: 2000))--><meta http-equiv=content-type content='text/html; charset=windows-1251'><p>"
                .utf8)
        #expect(try text(late + [0xCC, 0xE8, 0xF0]) == ["||Мир"])
        let wide = "<p>hé".utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        #expect(try text([0xFF, 0xFE] + wide) == ["||hé"])
        let wrong = Array("<meta charset=iso-8859-1><p>é".utf8)
        #expect(try text(wrong) == ["||é"])
    }
}

@Suite("Pathological pages")
struct HostileHTMLTests {
    @Test("text is kept at any depth, and skipped levels are reported")
    func deep() throws {
        for element in [
            "div", "b", "ul><li", "blockquote", "font color=red", "table><tr><td", "x-y",
        ] {
            let page = (0..<3000).map { "<\(element)>marker\($0) " }.joined() + "<p>end"
            let document = try clean(page, .html)
            let text = document.sections.flatMap(\.blocks).map(\.text).joined(separator: " ")
            let words = Set(text.split(separator: " "))
            #expect((0..<3000).allSatisfy { words.contains("marker\($0)") }, "\(element)")
            #expect(words.contains("end"), "\(element)")
        }
        let nested = String(repeating: "<div>", count: 5000) + "end"
        #expect(findings(try clean(nested, .html)) == ["replaced nesting 4600 elements"])
    }

    @Test("only the beginning of a page with absurdly many elements or attributes is read")
    func budget() throws {
        func kept(_ page: String, _ nodes: Int) -> (String, Bool) {
            let prepared = HTMLPreparation(Array(page.utf8), nodes: nodes)
            return (
                String(decoding: prepared.page, as: UTF8.self),
                prepared.findings.all.contains { $0.fate == .cut }
            )
        }
        let page = String(repeating: "<p>x", count: 100)
        #expect(kept(page, 200) == (page, false))
        #expect(kept(page, 120) == (String(page.prefix(240)), true))
        // Comments and scripts contain no elements.
        let script = "<SCRIPT>if (a<b && c<d) {}</script><scripts a>"
        #expect(kept("<!-- <a><a> -->" + script, 5) == (script, false))
        for cut in ["<", "<a b=", "<a b='", "<!--", "<script", "<script>", "</", "<a b = \""] {
            _ = try clean(cut, .html)
        }
    }

    @Test("a tag with a hundred thousand attributes takes no time")
    func attributes() throws {
        let bomb = (0..<100_000).map { " a\($0)" }.joined()
        for page in ["<p>start</p><p\(bomb)>end", "<p>start</p><p x=\">\"\(bomb)>end"] {
            let document = try clean(page, .html)
            #expect(outline(document) == ["||start¦end"])
            #expect(findings(document) == ["cut attributes 1 tags"])
        }
    }

    @Test("unclosed elements are not reopened for ever")
    func formatting() throws {
        let fonts = (0..<20_000).map { "<p><font color=\($0)><code a=\($0)>x" }.joined()
        let text = try clean(fonts, .html).sections.flatMap(\.blocks).map(\.text).joined()
        #expect(text.count { $0 == "x" } == 20_000)
    }
}
