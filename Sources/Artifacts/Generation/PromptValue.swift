/// Makes text from outside safe to insert into a prompt.
///
/// Documents, questions and earlier turns are data. They must not be able to end the part of the prompt that holds
/// them, pose as another passage, or contain tokens that a model's chat template reads as the start of a message.
/// These rules are part of `docs/generation.md`:
///
/// 1. Line ends become line feeds. Other control characters are removed, and so are characters that show nothing and
///    can hide text: bidirectional controls, zero-width spaces, tags, soft hyphens. Joiners stay: scripts need them.
/// 2. An opening bracket becomes `‹` where it begins a delimiter of passages (`<passage`, `</passage`; also with white
///    space or slashes after the bracket, in capitals or in full-width letters), or a control token of a known chat
///    template (`<|`, `<s>`, `<start_of_turn>`, `<turn|>`, `<<SYS>>`, `[INST]`, `[e~[` and the like); and where the value ends
///    before that is certain. The closing bracket that begins `]~b]` or `]~!b[` becomes `›`.
/// 3. In documents, numbers in brackets, which would read as a citation of passages, get parentheses: `[2]` becomes `(2)`,
///    and `[1, 3]` becomes `(1, 3)`. An index such as `a[2]` and a link such as `[2](https://example.com)` stay.
enum PromptValue {
    /// Where a value comes from and goes to.
    enum Place {
        /// A question or an earlier turn.
        case conversation
        /// The text of a passage.
        case passage
        /// A title, a heading or an address of a passage; it stays on one line.
        case label
    }

    /// The value as prompts show it.
    static func safe(_ text: String, in place: Place) -> String {
        let scalars = cleaned(text, isLine: place == .label)
        var result = String.UnicodeScalarView()
        var mark = (wordAt: 0, isMark: false)
        var at = 0
        while at < scalars.count {
            let scalar = scalars[at]
            // Brackets with nothing but filler between them have the same word; looking for it again for each of many
            // would take quadratic time.
            if opens(scalar), at >= mark.wordAt { mark = Self.mark(scalars, at) }
            if opens(scalar), mark.isMark || isBar(scalars, at + 1) {
                result.append("‹")
            } else if place != .conversation, scalar == "[", let end = citationEnd(scalars, at) {
                result.append("(")
                result.append(contentsOf: scalars[(at + 1)..<end])
                result.append(")")
                at = end
            } else if scalar == "]", beginsToken(scalars, at) {
                result.append("›")
            } else {
                result.append(scalar)
            }
            at += 1
        }
        return String(result)
    }

    /// The scalars without those that control or hide text.
    private static func cleaned(_ text: String, isLine: Bool) -> [Unicode.Scalar] {
        var result: [Unicode.Scalar] = []
        var previous: Unicode.Scalar?
        for scalar in text.unicodeScalars {
            defer { previous = scalar }
            switch scalar.value {
            case 0x0A where previous == "\r": continue
            case 0x0A...0x0D, 0x85, 0x2028, 0x2029: result.append(isLine ? " " : "\n")
            case 0x09: result.append(isLine ? " " : "\t")
            case 0..<0x20, 0x7F..<0xA0, 0xAD, 0x061C, 0x180E, 0x200B, 0x200E, 0x200F,
                0x202A...0x202E, 0x2060...0x206F, 0xFEFF, 0xFFF9...0xFFFB, 0xE0000...0xE007F:
                continue
            default: result.append(scalar)
            }
        }
        return result
    }

    private static func opens(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "<", "[", "\u{FF1C}", "\u{FE64}", "\u{FF3B}": true
        default: false
        }
    }

    /// What the words of delimiters begin with.
    private static let delimiter = "passage"
    /// The words of control tokens, by what closes them; `#` stands for digits at the end.
    private static let tokens: [Unicode.Scalar: Set<String>] = [
        ">": [
            "s", "bos", "eos", "pad", "unk", "mask", "sys", "think", "start_of_turn", "end_of_turn",
            "start_of_image", "end_of_image", "tool_call", "tool_response", "sop", "eop",
            "bos_token", "eos_token", "reserved_#", "extra_id_#", "unused#",
        ],
        "]": [
            "inst", "system_prompt", "available_tools", "tool_calls", "tool_results", "gmask",
            "smask",
        ],
        "~": ["e"],
    ]
    private static let words: Set<String> = tokens.values.reduce([delimiter]) { $0.union($1) }
    private static let longestWord = 20

    /// Whether a control token such as `<|im_start|>` goes on at a place.
    private static func isBar(_ scalars: [Unicode.Scalar], _ at: Int) -> Bool {
        at < scalars.count && (scalars[at] == "|" || scalars[at] == "\u{FF5C}")
    }

    /// The place of the word after the opening bracket at a place, and whether both begin a delimiter or a control token.
    private static func mark(
        _ scalars: [Unicode.Scalar], _ start: Int
    ) -> (wordAt: Int, isMark: Bool) {
        var at = start + 1
        while at < scalars.count, isFiller(scalars[at]) { at += 1 }
        return (at, isMarked(scalars, at))
    }

    /// Whether the word at a place makes the brackets before it a delimiter or a control token.
    private static func isMarked(_ scalars: [Unicode.Scalar], _ start: Int) -> Bool {
        var at = start
        var word = ""
        while at < scalars.count, word.utf8.count <= longestWord {
            if isJoiner(scalars[at]) {
                at += 1
                continue
            }
            guard let letter = letter(scalars[at]) else { break }
            word.unicodeScalars.append(letter)
            at += 1
        }
        if word.hasPrefix(delimiter) { return true }
        if at < scalars.count, "0"..."9" ~= scalars[at] { word += "#" }
        while at < scalars.count, "0"..."9" ~= scalars[at] { at += 1 }
        if !word.isEmpty, isBar(scalars, at) {
            return at + 1 == scalars.count || scalars[at + 1] == ">"
        }
        // What begins at the end of a value may go on in the next one.
        guard at < scalars.count else { return words.contains { $0.hasPrefix(word) } }
        return tokens[scalars[at]]?.contains(word) ?? false
    }

    /// What may stand between a bracket and the word of a mark.
    private static func isFiller(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "/" || scalar == "\\" || scalar == "!" || opens(scalar) || isJoiner(scalar)
            || scalar == "\u{FF0F}" || scalar.properties.isWhitespace
    }

    private static func isJoiner(_ scalar: Unicode.Scalar) -> Bool {
        0x200C...0x200D ~= scalar.value || 0xFE00...0xFE0F ~= scalar.value
    }

    /// An ASCII letter in lower case, from a full-width one too; nil for anything else.
    private static func letter(_ scalar: Unicode.Scalar) -> Unicode.Scalar? {
        let value =
            0xFF01...0xFF5E ~= scalar.value ? scalar.value - 0xFF01 + 0x21 : scalar.value
        return switch value {
        case 0x41...0x5A: Unicode.Scalar(value | 0x20)
        case 0x61...0x7A, 0x5F: Unicode.Scalar(value)
        default: nil
        }
    }

    /// Whether the closing bracket at a place begins a control token.
    private static func beginsToken(_ scalars: [Unicode.Scalar], _ start: Int) -> Bool {
        let next = scalars[(start + 1)...].prefix(4)
        return next.starts(with: "~b]".unicodeScalars) || next.starts(with: "~!b[".unicodeScalars)
    }

    /// The index of the closing bracket of numbers that would read as a citation; nil if they would not.
    private static func citationEnd(_ scalars: [Unicode.Scalar], _ start: Int) -> Int? {
        if start > 0, isOfName(scalars[start - 1]) { return nil }
        var inner: [UInt8] = []
        var end = start + 1
        while end < scalars.count,
            "0"..."9" ~= scalars[end] || " ,;".unicodeScalars.contains(scalars[end])
        {
            inner.append(UInt8(ascii: scalars[end]))
            end += 1
        }
        guard end < scalars.count, scalars[end] == "]",
            CitationFilter.numbers(in: inner[...]) != nil
        else { return nil }
        return end + 1 < scalars.count && scalars[end + 1] == "(" ? nil : end
    }

    /// Whether a bracket after this scalar is an index.
    private static func isOfName(_ scalar: Unicode.Scalar) -> Bool {
        scalar.isASCII
            && (scalar.properties.isAlphabetic || "0"..."9" ~= scalar
                || "_)]".unicodeScalars.contains(scalar))
    }
}
