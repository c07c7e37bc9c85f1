extension RSTDirective {
    /// What is done with a directive.
    enum Kind: Equatable {
        /// A note under a title that its name gives; all of the rest is its body.
        case admonition(String)
        /// A body under a title.
        case titled
        /// A body; the argument is for the layout.
        case body
        /// A body without an argument.
        case plainBody
        /// Code.
        case code
        /// Code of a language that is its name.
        case codeOfItsName
        /// Lines with inline markup.
        case literal
        /// Formulas.
        case math
        /// A change of a version, with the words before its number.
        case change(String)
        /// Not read: it holds no text of the document, or is made by a program.
        case leftOut(reason: String, unit: String)
        /// A file that would stand here.
        case include
        /// Text for another format.
        case raw
        /// It says nothing to a reader.
        case silent
        case image, figure, table, csvTable, listTable, glossary
        /// A line of its own.
        case line
        /// What has a name, and perhaps a description.
        case object
        case meta, title, highlight, defaultRole, role
        case unknown
    }
}

extension RSTDirective.Kind {
    /// What is done with directives of a name.
    init(_ name: String) {
        self = Self.known[name] ?? Self.ofDomain(name) ?? .unknown
    }

    /// Whether the argument may go on below the line of the directive.
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
