/// Reads the text of a role.
struct RSTRole {
    private let name: String
    private let isRaw: Bool

    /// The result of reading a role's text.
    enum Text {
        case text(LinkedText)
        /// The text is for another format and has this many words.
        case leftOut(words: Int)
    }

    /// Looks up a role; any name is accepted.
    init(_ name: String, _ references: inout RSTReferences) {
        isRaw = references.rawRoles.contains(name)
        // `py:class` is Python's `class`.
        let parts = name.lowercased().split(separator: ":")
        self.name = parts.last.map(String.init) ?? ""
    }

    /// Reads the text between the backquotes.
    func text(_ units: ArraySlice<UInt32>) -> Text {
        if isRaw || name == "raw" {
            return .leftOut(words: RSTInline.raw(units).utf8.wordCount)
        }
        switch name {
        case "", "emphasis", "strong", "sub", "sup", "subscript", "superscript", "title",
            "title-reference", "t", "abbr", "abbreviation", "acronym", "ac", "dfn", "kbd":
            return .text(LinkedText(RSTInline.plain(units)))
        case "code", "literal", "math", "eq", "python", "regexp":
            return .text(LinkedText(RSTInline.raw(units)))
        case "file", "samp":
            // Braces mark variable parts.
            return .text(LinkedText(RSTInline.plain(units).filter { $0 != "{" && $0 != "}" }))
        case "guilabel", "menuselection":
            return .text(LinkedText(Self.withoutAccelerators(RSTInline.plain(units))))
        default: return .text(reference(units))
        }
    }

    /// Returns the text of a reference role: its title, or the name of its target.
    private func reference(_ units: ArraySlice<UInt32>) -> LinkedText {
        var result = LinkedText()
        var target: String
        if units.last == 0x3E, let open = units.lastIndex(of: 0x3C), open > units.startIndex {
            result.text = WhiteSpace.collapsed(RSTInline.plain(units[..<open]))
            target = RSTInline.plain(units[(open + 1)..<(units.endIndex - 1)])
        } else {
            target = RSTInline.plain(units)
            result.text = Self.shown(target)
        }
        target = WhiteSpace.collapsed(target)
        let number = target.utf8.prefix { (0x30...0x39).contains($0) }
        switch name {
        case "pep" where !number.isEmpty:
            if result.text == target { result.text = "PEP \(target)" }
            let digits = String(Substring(number))
            let padding = String(repeating: "0", count: max(0, 4 - digits.utf8.count))
            result.links = ["https://peps.python.org/pep-\(padding)\(digits)/"]
        case "rfc" where !number.isEmpty:
            if result.text == target {
                result.text = "RFC " + target.replacing("#section-", with: " Section ")
            }
            result.links = ["https://datatracker.ietf.org/doc/html/rfc\(Substring(number))"]
        case "doc", "download": if !target.isEmpty { result.links = [target] }
        default:
            if target.hasPrefix("http://") || target.hasPrefix("https://") {
                result.links = [target]
            }
        }
        return result
    }

    /// Shortens a target for display: `~a.b.C` becomes `C`, `!a` and `.a` become `a`.
    private static func shown(_ target: String) -> String {
        switch target.utf8.first {
        case UInt8(ascii: "~"):
            let name = target.dropFirst()
            guard let dot = name.utf8.dropLast().lastIndex(of: UInt8(ascii: ".")) else {
                return String(name)
            }
            return String(name[name.utf8.index(after: dot)...])
        case UInt8(ascii: "!"): return String(target.dropFirst())
        case UInt8(ascii: "."):
            return target.utf8.count > 1 && target.utf8.dropFirst().first != UInt8(ascii: ".")
                ? String(target.dropFirst()) : target
        default: return target
        }
    }

    /// Removes the `&` in front of shortcut letters; `&&` is a literal `&`.
    private static func withoutAccelerators(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        var isPending = false
        for scalar in text.unicodeScalars {
            if scalar == "&", !isPending {
                isPending = true
                continue
            }
            // Before white space, `&` means "and".
            if isPending, scalar != "&", WhiteSpace.isSpace(scalar) { result.append("&") }
            isPending = false
            result.append(scalar)
        }
        return String(result)
    }
}
