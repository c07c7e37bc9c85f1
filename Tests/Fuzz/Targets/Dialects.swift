@testable internal import Documents
@testable internal import FeaturePipeline

extension FuzzTarget {
    /// Markdown with front matter, and MDX, by the first byte of the input; the properties of pages hold.
    static let dialects = FuzzTarget(
        "dialects", longestInput: 2048,
        words: [
            "---\n", "+++\n", "title: >-\n  ", "a.b = [", "'''", "\"\"\"", "- &a ", "*a",
            "!!! note \"",
            "??? tip\n    ", "=== \"", ":::note ", "::: {.callout-note}\n", ":::\n", "/// a | b\n",
            "```{note} ", "```{r, a=1}\n", "[^a]: ", "[^a]", "\n: ", "{#id .c k=\"v\"}", "{: .a}",
            "--8<-- \"", "{! a.md !}", "{% highlight a %}", "{% endhighlight %}", "{{< tab \"",
            "{{ a }}", "> [!NOTE]\n", "import a\n\n", "<Tab label=\"", "<A b={", "</A>", "{/* ",
            "<table>", "&#150;", "\u{10FFFF}",
        ]
    ) { _ in
        [
            "a---\ntitle: >-\n  A\n  B\ntags: [a, b]\nx: {y: 1}\n---\n# H {#h}\n\n!!! note \"T\"\n    b\n",
            "a+++\ntitle = \"T\"\n[a.b]\nc = 1\n+++\nTerm\n: Text\n\n[^a]: n\n\n    more\n",
            "bimport A from 'a'\n\n<Tabs>\n  <Tab label=\"x\">\n\n    - y\n\n  </Tab>\n</Tabs> {1} {'s'}\n",
            "a::: {.callout-note}\n## H\n\n```{r}\nx\n```\n:::\n\n=== \"A\"\n\n    ```py\n    x\n    ```\n",
            "a{% highlight ruby %}\nx\n{% endhighlight %}\n\n{{< tab \"a\" >}}\n--8<-- \"x\"\n> [!TIP]\n> y",
        ].map { Array($0.utf8) }
    } run: { input throws(FuzzFinding) in
        guard input.count > 1 else { return }
        let bytes = Array(input.extracting(1..<input.count))
        try clean(bytes, input[0] & 1 == 1 ? .markdown : .mdx)
    }

    /// Patterns for paths: the pattern up to the first line feed, then a path.
    static let patterns = FuzzTarget(
        "patterns", longestInput: 512,
        words: ["**/", "*.", "{a,b}", "[a-z]", "[!a]", "\\", "?", "./", "{,", "]"]
    ) { _ in
        ["**/*.{md,txt}\na/b.md", "[a-c]?*\nabc", "{a,b/{c,d}}/**\nb/c/e", "\\[x\n[x"]
            .map { Array($0.utf8) }
    } run: { input throws(FuzzFinding) in
        let parts = String(decoding: Array(input.extracting(0..<input.count)), as: UTF8.self)
            .split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
        guard let text = parts.first, let pattern = try? GlobPattern(String(text)) else { return }
        let path = parts.count > 1 ? String(parts[1]) : "a/b.md"
        _ = pattern.matches(path)
        // A pattern without special characters matches itself.
        let isPlain = text.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
            default: false
            }
        }
        if isPlain {
            try FuzzFinding.unless(
                pattern.matches(String(text)),
                "a pattern without special characters does not match itself")
        }
    }
}
