/// A directive: its name, argument, options and the range of its content.
struct RSTDirective {
    /// The name of a directive, and the text after `::` on its line.
    struct Head {
        /// The name, in lower case.
        let name: String
        /// The text after the colons; nil if empty.
        let rest: ArraySlice<UInt8>?

        /// Parses the text after `.. `; nil if it is not a directive.
        init?(_ text: ArraySlice<UInt8>) {
            var end = text.startIndex
            while end < text.endIndex, end - text.startIndex < 100 {
                let byte = text[end]
                if byte == 0x3A, end + 1 < text.endIndex, text[end + 1] == 0x3A { break }
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2B, 0x2D, 0x2E, 0x3A, 0x5F: end += 1
                // Docutils allows a space before the colons.
                case 0x20 where text[(end + 1)...].starts(with: "::".utf8): end += 1
                default: return nil
                }
            }
            guard end > text.startIndex, text[end...].starts(with: "::".utf8),
                end + 2 == text.endIndex || text[end + 2] == 0x20
            else { return nil }
            name = WhiteSpace.collapsed(String(decoding: text[..<end], as: UTF8.self)).lowercased()
            let rest = text[(end + 2)...].drop { $0 == 0x20 }
            self.rest = rest.isEmpty ? nil : rest
        }
    }

    /// The name, in lower case.
    let name: String
    /// The lines of its argument.
    var arguments: [String]
    /// Its options, by name.
    private(set) var options: [String: String] = [:]
    /// The range of its content lines.
    private(set) var content: Range<Int>
    /// The column of its body.
    let column: Int

    /// The whole argument on one line.
    var argument: String { arguments.joined(separator: " ") }

    /// Parses the argument and the options of a directive.
    ///
    /// - Parameters:
    ///   - head: Its name and the rest of its first line.
    ///   - body: The lines below the first.
    ///   - isLong: Whether the argument may continue on those lines.
    init(_ head: Head, _ lines: [MarkupLine], body: Range<Int>, isLong: Bool) {
        name = head.name
        column = MarkupLine.leastIndent(lines[body])
        arguments = head.rest.map { [String(decoding: $0, as: UTF8.self)] } ?? []
        var index = body.lowerBound
        while isLong, index < body.upperBound, !lines[index].isBlank,
            RSTMarker.field(lines[index].content) == nil
        {
            arguments.append(lines[index].text)
            index += 1
        }
        var name = ""
        while index < body.upperBound, !lines[index].isBlank {
            let line = lines[index]
            if line.indent == column, let field = RSTMarker.field(line.content) {
                name = field.name.lowercased()
                options[name] = String(
                    decoding: line.content.dropFirst(field.length).drop { $0 == 0x20 },
                    as: UTF8.self)
            } else if !name.isEmpty, line.indent > column {
                options[name, default: ""] += "\n" + line.text
            } else {
                break
            }
            index += 1
        }
        content = index..<body.upperBound
        while let first = content.first, lines[first].isBlank {
            content = (first + 1)..<content.upperBound
        }
        while let last = content.last, lines[last].isBlank { content = content.lowerBound..<last }
    }

    /// Extends the content upwards to a line before it.
    mutating func extendContent(from index: Int) { content = index..<content.upperBound }
}

extension RSTDirective {
    /// How a directive is read.
    enum Kind: Equatable {
        /// A note under a fixed title; its body begins on the directive's line.
        case admonition(String)
        /// A body whose title is the argument.
        case titled
        /// A body; the argument is a setting, not text.
        case body
        /// A body that begins on the directive's line.
        case plainBody
        /// Code.
        case code
        /// Code in the language that the directive is named after.
        case codeOfItsName
        /// Verbatim lines with inline markup.
        case literal
        /// Formulas.
        case math
        /// A version change; the value is the text before the version number.
        case change(String)
        /// Left out: it holds no text of the document, or a program generates it.
        case leftOut(reason: String, unit: String)
        /// An included file.
        case include
        /// Text for one output format; only HTML is read.
        case raw
        /// It has no visible text.
        case silent
        case image, figure, table, csvTable, listTable, glossary
        /// A line of its own.
        case line
        /// A named object, possibly with a description.
        case object
        case meta, title, highlight, defaultRole, role
        case unknown
    }
}

extension RSTDirective.Kind {
    /// Looks up how directives with a name are read.
    init(_ name: String) {
        self = Self.known[name] ?? Self.ofDomain(name) ?? .unknown
    }

    /// Whether the argument may continue below the directive's line.
    var hasLongArgument: Bool {
        switch self {
        case .admonition, .plainBody, .code, .codeOfItsName, .literal, .math, .glossary, .meta,
            .raw:
            false
        default: true
        }
    }

    private static func ofDomain(_ name: String) -> Self? {
        guard let colon = name.utf8.firstIndex(of: UInt8(ascii: ":")) else {
            return name.hasPrefix("auto") && name.utf8.count > 4
                ? .leftOut(reason: "autodoc", unit: "directives") : nil
        }
        let domain = name[..<colon]
        guard ["py", "c", "cpp", "js", "rst", "std", "php", "rb", "http", "dn"].contains(domain)
        else { return nil }
        let rest = String(name[name.utf8.index(after: colon)...])
        let known = Self.known[rest]
        return known == .silent || known == .body ? known : .object
    }

    private static let known: [String: Self] = {
        var result: [String: Self] = [
            "note": .admonition("Note"), "warning": .admonition("Warning"),
            "attention": .admonition("Attention"), "caution": .admonition("Caution"),
            "danger": .admonition("Danger"), "error": .admonition("Error"),
            "hint": .admonition("Hint"), "important": .admonition("Important"),
            "tip": .admonition("Tip"), "seealso": .admonition("See also"),
            "todo": .admonition("Todo"),
            "versionadded": .change("New in version"),
            "versionchanged": .change("Changed in version"),
            "versionremoved": .change("Removed in version"),
            "deprecated": .change("Deprecated since version"),
            "deprecated-removed": .change("Deprecated since version"),
            "parsed-literal": .literal, "math": .math, "raw": .raw,
            "image": .image, "figure": .figure, "table": .table, "csv-table": .csvTable,
            "list-table": .listTable, "glossary": .glossary,
            "rubric": .line, "centered": .line,
            "meta": .meta, "title": .title, "highlight": .highlight,
            "default-role": .defaultRole, "role": .role,
            "include": .include, "literalinclude": .include,
            "toctree": .leftOut(reason: "toctree", unit: "entries"),
            "contents": .leftOut(reason: "table of contents", unit: "directives"),
            "autosummary": .leftOut(reason: "autodoc", unit: "directives"),
        ]
        for (kind, names) in lists { for name in names { result[name] = kind } }
        return result
    }()

    private static let lists: [(Self, [String])] = [
        (
            .titled,
            [
                "admonition", "topic", "sidebar", "tab", "tab-item", "group-tab", "dropdown",
                "card",
                "grid-item-card", "details", "collapse", "proof", "theorem",
            ]
        ),
        (
            .body,
            [
                "container", "only", "ifconfig", "tab-set", "grid", "grid-item", "card-carousel",
                "columns", "div", "module", "currentmodule", "rst-class", "cssclass",
            ]
        ),
        (
            .plainBody,
            [
                "compound", "pull-quote", "epigraph", "highlights", "line-block", "hlist", "acks",
                "tabs", "header", "footer", "aside",
            ]
        ),
        (
            .code,
            [
                "code", "code-block", "sourcecode", "code-tab", "prompt", "ipython", "testcode",
                "testoutput", "testsetup", "testcleanup", "productionlist", "jupyter-execute",
                "plot", "code-cell",
            ]
        ),
        (
            .codeOfItsName,
            [
                "console", "doctest", "graphviz", "mermaid", "plantuml", "uml", "blockdiag",
                "seqdiag", "actdiag", "nwdiag",
            ]
        ),
        (
            .silent,
            [
                "index", "sectnum", "section-numbering", "sectionauthor", "codeauthor",
                "moduleauthor", "tabularcolumns", "program", "target-notes", "namespace",
                "namespace-push", "namespace-pop", "default-domain",
            ]
        ),
        (
            .object,
            [
                "function", "class", "method", "attribute", "exception", "data", "staticmethod",
                "classmethod", "decorator", "decoratormethod", "property", "object", "describe",
                "option", "cmdoption", "envvar", "confval", "setting", "fieldlookup", "templatetag",
                "templatefilter", "django-admin", "django-admin-option", "macro", "type", "struct",
                "union", "enum", "enumerator", "member", "var", "opcode", "pdbcommand", "directive",
                "token", "command", "signature",
            ]
        ),
    ]
}
