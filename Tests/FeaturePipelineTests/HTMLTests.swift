import FeaturePipeline
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
            ("<body><nav>n</nav><header>h<h1>T</h1></header><p>x</p><footer>f</footer>", ["t|T|x"]),
            ("<body>out<main><p>in</p></main>out", ["||in"]),
            ("<body>out<article><p>in</p></article>out", ["||in"]),
            ("<body>a<article>b</article><article>c</article>", ["||a¦b¦c"]),
            ("<div role=main>in</div><p>out", ["||in"]),
            (
                "<script>s</script><style>t</style><noscript>n</noscript><template>m</template>x",
                ["||x"]
            ),
            (
                "<div class='navheader'>n</div><div class=\"a toc b\">t</div><p class=related>r</p>x",
                ["||x"]
            ),
            ("<aside role=navigation>n</aside><aside>kept</aside>", ["||kept"]),
            ("<div hidden>h</div><p aria-hidden=true>h</p>x", ["||x"]),
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

    @Test("a page without headings is called what its title says")
    func title() throws {
        #expect(try clean("<title> A\nB </title><p>x", .html).title == "A B")
        #expect(try clean("<title></title><p>x", .html, path: "d/name.html").title == "name")
    }

    @Test("encodings")
    func encodings() throws {
        func text(_ bytes: [UInt8]) throws -> [String] {
            outline(try CleanDocument(RawDocument(path: "p", mediaType: .html, bytes: bytes)))
        }
        #expect(try text([0xEF, 0xBB, 0xBF] + Array("<p>é".utf8)) == ["||é"])
        #expect(try text(Array("<p>caf".utf8) + [0xE9, 0x20, 0x80]) == ["||café €"])
        let japanese = Array("<meta charset=shift_jis><p>".utf8) + [0x93, 0xFA, 0x96, 0x7B]
        #expect(try text(japanese) == ["||日本"])
        let wide = "<p>hé".utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        #expect(try text([0xFF, 0xFE] + wide) == ["||hé"])
        let wrong = Array("<meta charset=iso-8859-1><p>é".utf8)
        #expect(try text(wrong) == ["||é"])
    }

    @Test("pages nested beyond the parser's limit are read in part, and say so")
    func deep() throws {
        let page = "<p>start</p>" + String(repeating: "<div>", count: 5000) + "end"
        let document = try clean(page, .html)
        #expect(outline(document).first?.hasPrefix("||start") == true)
        #expect(document.note != nil)
    }

    @Test("of a page with more elements and attributes than anybody writes, a part is read")
    func budget() throws {
        func prefix(_ page: String, _ nodes: Int) -> Int {
            HTMLBudget.prefix(of: Array(page.utf8), nodes: nodes)
        }
        let page = String(repeating: "<p>x", count: 100)
        #expect(prefix(page, 100) == 400)
        #expect(prefix(page, 60) == 240)
        #expect(prefix("<a b=1 c='<>\">' d>x<p>", 4) == 19)
        #expect(prefix("<a b=1 c='<>\">' d>x<p>", 3) == 0)
        // What is in comments and scripts is no element.
        let hidden = "<!-- <a><a> --><SCRIPT>if (a<b && c<d) {}</script><scripts a><p>"
        #expect(prefix(hidden, 4) == hidden.utf8.count)
        #expect(prefix(hidden, 3) == hidden.utf8.count - 3)
        for cut in ["<", "<a b=", "<a b='", "<!--", "<script", "<script>", "</", "<a b = \""] {
            #expect(prefix(cut, 10) == cut.utf8.count)
        }
    }

    @Test("a tag with a hundred thousand attributes takes no time")
    func attributes() throws {
        let bomb = (0..<100_000).map { " a\($0)" }.joined()
        for page in ["<p>start</p><p\(bomb)>end", "<p>start</p><p x=\">\"\(bomb)>end"] {
            let document = try clean(page, .html)
            #expect(outline(document) == ["||start"])
            #expect(document.note != nil)
        }
    }
}
