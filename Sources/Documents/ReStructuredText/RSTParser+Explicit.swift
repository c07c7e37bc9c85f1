internal import Objects

/// Explicit markup, which begins with two dots: targets, footnotes, substitutions, directives and comments.
extension RSTParser {
    /// Parses explicit markup; returns the index of the line after it.
    mutating func parseExplicit(_ index: Int, _ end: Int, at column: Int, isTop: Bool) -> Int {
        let rest = lines[index].content.dropFirst(2).drop { $0 == 0x20 }
        let marker = rest.startIndex - lines[index].content.startIndex
        // Two dots alone only separate blocks.
        if rest.isEmpty, index + 1 >= end || lines[index + 1].isBlank { return index + 1 }
        let stop = endOfBody(index + 1, end, above: column)
        switch rest.first {
        case UInt8(ascii: "_"):
            guard let target = RSTTarget(rest) else { break }
            let targetStop = lines[(index + 1)..<stop].firstIndex(where: \.isBlank) ?? stop
            if target.rest.isEmpty, targetStop == index + 1, isTop, !writer.isInCell {
                let identifier = RSTTitle.identifier(target.name)
                writer.addLabel(identifier.isEmpty ? AnchorSet.slug(target.name) : identifier)
            }
            return targetStop
        case UInt8(ascii: "|"):
            if rest.dropFirst().contains(UInt8(ascii: "|")) { return stop }
        case UInt8(ascii: "["):
            if let footnote = Self.footnote(rest) {
                let label = references.label(ofFootnote: footnote.label)
                let body = openBody(
                    index, end, at: column, marker: marker + footnote.length)
                writer.addMarker("[\(label)] ")
                parse(index, body.stop, at: body.column)
                writer.endItem()
                return body.stop
            }
        default:
            if let head = RSTDirective.Head(rest) {
                read(head, index, stop, marker: rest.startIndex - lines[index].content.startIndex)
                return stop
            }
        }
        let words =
            rest.wordCount + lines[(index + 1)..<stop].reduce(0) { $0 + $1.content.wordCount }
        findings.add(.leftOut, "comment", words, "words")
        return stop
    }

    /// Returns the label of a footnote or citation, and its length with the brackets.
    private static func footnote(_ rest: ArraySlice<UInt8>) -> (label: String, length: Int)? {
        let label = rest.dropFirst().prefix { $0 != UInt8(ascii: "]") && $0 > 0x20 }
        let after = rest[label.endIndex...]
        guard !label.isEmpty, after.first == UInt8(ascii: "]"),
            after.count == 1 || after[after.startIndex + 1] == 0x20
        else { return nil }
        return (String(decoding: label, as: UTF8.self), label.count + 2)
    }

    /// Parses the directive on a line; its body ends at `stop`.
    private mutating func read(
        _ head: RSTDirective.Head, _ index: Int, _ stop: Int, marker: Int
    ) {
        let kind = RSTDirective.Kind(head.name)
        var directive = RSTDirective(
            head, lines, body: (index + 1)..<stop, isLong: kind.hasLongArgument)
        switch kind {
        case .admonition, .plainBody, .glossary, .literal:
            // The text on the directive's line is content.
            guard let rest = head.rest else { break }
            let line = lines[index].content
            lines[index].content = line[rest.startIndex...]
            lines[index].indent = directive.column
            directive.extendContent(from: index)
        default: break
        }
        // The fields of `meta` look like options, but are its content.
        if kind == .meta { directive.extendContent(from: index + 1) }
        read(directive, kind)
    }

    private mutating func read(_ directive: RSTDirective, _ kind: RSTDirective.Kind) {
        switch kind {
        case .admonition(let title):
            writer.add(LinkedText(title), keepsWithNext: !directive.content.isEmpty)
            parseContent(of: directive)
        case .titled:
            writer.add(inline(directive.argument), keepsWithNext: !directive.content.isEmpty)
            parseContent(of: directive)
        case .body, .plainBody: parseContent(of: directive)
        case .code, .codeOfItsName, .math, .literal: addCode(directive, kind)
        case .change(let words): addChange(directive, words)
        case .leftOut, .include, .raw: leaveOut(directive, kind)
        case .silent: break
        case .image, .figure: addImage(directive)
        case .table:
            writer.add(inline(directive.argument), keepsWithNext: true)
            parseContent(of: directive)
        case .csvTable: addCSVTable(directive)
        case .listTable: addListTable(directive)
        case .glossary: parseGlossary(directive)
        case .line:
            writer.add(inline(directive.argument), keepsWithNext: true)
            parseContent(of: directive)
        case .object: addObject(directive)
        case .meta: addMetadata(directive)
        case .title: declaredTitle = WhiteSpace.collapsed(directive.argument)
        case .highlight: language = Self.language(directive.argument)
        case .defaultRole: references.defaultRole = directive.argument
        case .role:
            let parts = directive.argument.split(separator: "(")
            if parts.count == 2, parts[1].hasPrefix("raw") {
                references.rawRoles.insert(WhiteSpace.collapsed(String(parts[0])))
            }
        case .unknown:
            findings.add(.notUnderstood, "directive", 1, "directives", detail: directive.name)
            writer.add(inline(directive.argument), keepsWithNext: !directive.content.isEmpty)
            parseContent(of: directive)
        }
    }

    /// Parses the content of a directive as a body.
    mutating func parseContent(of directive: RSTDirective) {
        guard !directive.content.isEmpty else { return }
        parse(
            directive.content.lowerBound, directive.content.upperBound,
            at: leastIndent(directive.content.lowerBound, directive.content.upperBound) ?? 0)
    }

    private mutating func addCode(_ directive: RSTDirective, _ kind: RSTDirective.Kind) {
        // The options also fix the code's column: code that is indented further keeps the difference.
        let code = MarkupLine.joined(lines[directive.content], without: directive.column)
        var words = directive.argument.split(separator: " ")[...]
        var language: String?
        switch kind {
        case .code:
            language = words.popFirst().map(String.init) ?? self.language
            if directive.name == "productionlist" { language = nil }
            writer.add(
                inline(directive.options["caption"] ?? words.joined(separator: " ")),
                keepsWithNext: true)
            writer.addCode(code, language: language.flatMap(Self.language))
        case .codeOfItsName:
            writer.addCode(code, language: Self.language(directive.name))
        case .math:
            writer.addCode(
                ([directive.argument, code].filter { !$0.isEmpty }).joined(separator: "\n"),
                language: nil)
        default: writer.addCode(literal(code), language: nil)
        }
    }

    /// Removes the inline markup of lines.
    private mutating func literal(_ code: String) -> String {
        var result: [String] = []
        for line in code.split(separator: "\n", omittingEmptySubsequences: false) {
            let indent = line.prefix { $0 == " " }
            result.append(indent + inline(String(line[indent.endIndex...])).text)
        }
        return result.joined(separator: "\n")
    }

    /// Returns a language's name; nil for names that mean none.
    private static func language(_ name: String) -> String? {
        let name = WhiteSpace.collapsed(name).lowercased()
        return name.isEmpty || name == "none" || name == "default" ? nil : name
    }

    private mutating func addChange(_ directive: RSTDirective, _ words: String) {
        var parts = directive.argument.split(separator: " ", maxSplits: 1)[...]
        let version = parts.popFirst() ?? ""
        let explanation = parts.first.map { ": \($0)" } ?? ""
        writer.add(
            inline("\(words) \(version)\(explanation)"),
            keepsWithNext: !directive.content.isEmpty || explanation.isEmpty)
        parseContent(of: directive)
    }

    private mutating func leaveOut(_ directive: RSTDirective, _ kind: RSTDirective.Kind) {
        let content = lines[directive.content]
        switch kind {
        case .include:
            writer.add(inline(directive.options["caption"] ?? ""))
            findings.add(.leftOut, "include", 1, "files", detail: directive.argument)
        case .raw:
            if directive.argument.lowercased().split(separator: " ").contains("html") {
                let found = HTMLCleaner.fragment(MarkupLine.dedented(content))
                writer.add(found.blocks)
                findings.add(found.findings)
            } else {
                let words = content.reduce(0) { $0 + $1.content.wordCount }
                findings.add(.leftOut, "raw", words, "words", detail: directive.argument)
            }
        case .leftOut(let reason, let unit):
            let entries = content.lazy.filter { !$0.isBlank }.count
            findings.add(
                .leftOut, reason, unit == "entries" ? entries : 1, unit,
                detail: reason == "autodoc" ? "\(directive.name) \(directive.argument)" : nil)
        default: break
        }
    }

    private mutating func addImage(_ directive: RSTDirective) {
        findings.add(.leftOut, "image", 1, "images")
        var text = LinkedText(directive.options["alt"] ?? "")
        if let target = directive.options["target"], target.utf8.last != UInt8(ascii: "_") {
            text.links = [WhiteSpace.collapsed(target)]
        }
        writer.add(text, keepsWithNext: !directive.content.isEmpty)
        parseContent(of: directive)
    }

    /// Adds the signatures of an object and its description.
    private mutating func addObject(_ directive: RSTDirective) {
        let hasBody = !directive.content.isEmpty
        // In docutils, `class` sets a style class.
        let isStyle =
            directive.name == "class"
            && directive.argument.utf8.contains { $0 == 0x2D || $0 == 0x20 }
            && !directive.argument.utf8.contains { $0 == 0x28 || $0 == 0x2E }
        var signature = ""
        for line in isStyle ? [] : directive.arguments {
            signature += line
            if signature.utf8.last == UInt8(ascii: "\\") {
                signature.removeLast()
                continue
            }
            let text = LinkedText(RSTInline.unescaped(Array(signature.utf8)[...]))
            signature = ""
            if hasBody { writer.add(text, keepsWithNext: true) } else { writer.announce(text) }
        }
        parseContent(of: directive)
    }

    private mutating func addMetadata(_ directive: RSTDirective) {
        var index = directive.content.lowerBound
        while index < directive.content.upperBound {
            guard let field = RSTMarker.field(lines[index].content) else {
                index += 1
                continue
            }
            let body = openBody(
                index, directive.content.upperBound, at: lines[index].indent, marker: field.length)
            // The first word is the key: `name lang=en`, `http-equiv=name`.
            let name = field.name.split(separator: " ").first.map { $0.lowercased() } ?? ""
            let value = MarkupLine.dedented(lines[index..<body.stop])
            if !name.isEmpty { metadata[name] = .string(WhiteSpace.collapsed(value)) }
            index = body.stop
        }
    }

    /// Parses the terms and definitions of a glossary; several terms may share a definition.
    private mutating func parseGlossary(_ directive: RSTDirective) {
        parse(
            directive.content.lowerBound, directive.content.upperBound,
            at: MarkupLine.leastIndent(lines[directive.content])
        ) { parser, index in
            let line = parser.lines[index]
            if !line.content.starts(with: ".. ".utf8) {
                parser.writer.add(parser.inline(line.text), keepsWithNext: true)
            }
            return index + 1
        }
    }
}
