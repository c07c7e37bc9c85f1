@testable internal import Documents
@testable internal import FeaturePipeline

extension FuzzTarget {
    /// Pages: any bytes become text or an error, and the text becomes chunks within their size.
    static let html = FuzzTarget(
        "html", longestInput: 2048,
        words: [
            "<html>", "<body>", "<main>", "<article>", "<h1 id=\"a\">", "<table><tr><td>", "<th>",
            "<ol start=\"9223372036854775807\"><li>", "<pre>", "<br>", "<title>", "&#0;", "&nbsp;",
            "<!--", "<script>", "<![CDATA[", "<meta charset=\"utf-16\">", "</", "role=\"main\"",
        ]
    ) { _ in
        [
            "<html><head><title>T</title></head><body><h1 id=a>A</h1><p>x <b>y</b></p>"
                + "<ul><li>1<li>2</ul><pre>a\n b</pre><table><tr><th>h<tr><td>c</table></body>",
            "<ol start=7><li>a</ol>", "plain &amp; text",
        ].map { Array($0.utf8) }
    } run: { input throws(FuzzFinding) in
        try clean(Array(input), .html)
    }

    /// Markdown and plain text, by the first byte of the input; the properties of pages hold.
    static let markdown = FuzzTarget(
        "markdown", longestInput: 2048,
        words: [
            "---\ntitle: ", "\n---\n", "+++\n", "# ", "| a | b |\n|---|---|\n", "```\n", "> ", "- ",
            "1. ", "~~", "www.", "http://", "![](", "](", "<b>", "\n===\n", "[a]: ", "\u{feff}",
        ]
    ) { _ in
        [
            "a---\ntitle: \"T\"\n---\n# A\n\ntext *b* `c`\n\n- 1\n- 2\n\n| a | b |\n|---|---|\n| 1 | 2 |",
            "bTitle\n=====\n\npara\n\n    code\n\nSub\n---\nx", "a```\ncode\n```\n> q\n> 1. r",
        ].map { Array($0.utf8) }
    } run: { input throws(FuzzFinding) in
        guard input.count > 1 else { return }
        let bytes = Array(input.extracting(1..<input.count))
        try clean(bytes, input[0] & 1 == 1 ? .markdown : .text)
    }

    /// reStructuredText and AsciiDoc, by the first byte of the input; the properties of pages hold.
    static let markup = FuzzTarget(
        "markup", longestInput: 2048,
        words: [
            ".. note:: ", ".. code-block:: c\n\n   ", ".. _a: ", ".. |a| replace:: ", "|a| ",
            "::\n\n  ",
            ".. list-table::\n\n   * - ", ".. csv-table::\n\n   ", "== ==\n", "-- --\n", "+--+\n",
            "+==+\n", "|a |\n", "\n====\n", "``", ":ref:`", "`a <b>`_ ", "[#]_ ", ".. [#] ",
            ">>> ", "#. ", "(a) ", ":a: ", "--a=B  ", "__ http://a", "\n----\n", "\n|===\n",
            "[source,c]\n", "2.3+a|", "\n....\n", "a:: ", "\n+\n", ":a: {a}\n", "{a}", "<<a,b>>",
            "link:a[", "footnote:[", "((", "[[a]]", "** ", "= A\n", "include::a[]\n", "^", "\n--\n",
        ]
    ) { _ in
        [
            "a\nA\n=\n\n.. _b:\n\nB\n-\n\n*x* :r:`y` `z <u>`_ |s|\n\n.. |s| replace:: t\n\n- a\n\n"
                + "  - b::\n\n      c\n\nt\n  d\n\n== ==\na  b\n== ==\n1  2\n== ==\n\n+--+--+\n|a |b |\n+--+--+",
            "a.. note:: a\n   :b: c\n\n   d\n\n.. list-table::\n   :header-rows: 1\n\n   * - a\n     - b",
            "b= T\n:a: b\n\n{a} *b* <<c,d>>\n\n* e\n+\n----\nf\n----\n\n|===\n|a |b\n\n2+|c\n|===",
        ].map { Array($0.utf8) }
    } run: { input throws(FuzzFinding) in
        guard input.count > 1 else { return }
        let bytes = Array(input.extracting(1..<input.count))
        try clean(bytes, input[0] & 1 == 1 ? .restructuredText : .asciidoc)
    }

    static func clean(_ bytes: [UInt8], _ type: DocumentFormat) throws(FuzzFinding) {
        let raw = RawDocument(path: "a/b", format: type, bytes: bytes)
        guard let document = try? CleanDocument.clean(raw) else { return }
        try check(document)
    }

    /// Checks the properties of every document.
    static func check(_ document: CleanDocument) throws(FuzzFinding) {
        var anchors: Set<[UInt8]> = []
        for section in document.sections {
            try FuzzFinding.unless(
                anchors.insert(Array(section.anchor.utf8)).inserted, "an anchor names two sections")
            try FuzzFinding.unless(
                !section.blocks.isEmpty && section.blocks.allSatisfy { !$0.text.isEmpty },
                "a section or a block is empty")
        }
        let splitter = RecursiveSplitter(size: 100, overlap: 20)
        for chunk in splitter.chunks(of: document) {
            try FuzzFinding.unless(
                !chunk.text.isEmpty && chunk.text.unicodeScalars.count <= 100,
                "a chunk has \(chunk.text.unicodeScalars.count) characters")
        }
    }
}
