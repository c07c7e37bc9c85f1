/// A text with placeholders such as `{{title}}`, which values replace.
///
/// Substitution is plain: there are no conditions, loops or escapes, and placeholders inside a value stay text.
struct PromptTemplate: Hashable, Sendable {
    /// What a placeholder stands for.
    enum Placeholder: String, CaseIterable, Sendable {
        /// The question.
        case question
        /// The number of a passage, from 1.
        case number = "n"
        /// The title of a passage's document.
        case title
        /// The headings above a passage.
        case section
        /// The address of a passage's document.
        case url
        /// The text of a passage.
        case text

        /// The placeholder as templates spell it.
        var spelling: String { "{{\(rawValue)}}" }
    }

    /// A part of a template.
    enum Part: Hashable, Sendable {
        /// Text that is copied.
        case text(String)
        /// A placeholder.
        case value(Placeholder)
    }

    /// Why a text is no template.
    struct Malformed: Error {
        /// The predicate of a sentence whose subject is the member with the template.
        let reason: String
    }

    /// The parts in order.
    let parts: [Part]

    /// Makes a template from its parts.
    init(_ parts: [Part]) { self.parts = parts }

    /// Parses a template.
    ///
    /// - Parameters:
    ///   - allowed: The placeholders that it may have.
    ///   - required: A placeholder that it must have; nil for none.
    init(
        parsing text: String, allowed: [Placeholder], required: Placeholder?
    ) throws(Malformed) {
        var parts: [Part] = []
        var rest = Array(text.utf8)[...]
        while let open = Self.index(of: "{{", in: rest) {
            if open > rest.startIndex { parts.append(.text(Self.text(rest[..<open]))) }
            let name = rest[(open + 2)...]
            guard let close = Self.index(of: "}}", in: name) else {
                throw Malformed(
                    reason: "has an unclosed placeholder: \(Self.shown(rest[open...]))")
            }
            let spelling = Self.shown(rest[..<(close + 2)][open...])
            guard let found = Placeholder(rawValue: Self.text(name[..<close])) else {
                throw Malformed(
                    reason: "has the unknown placeholder \(spelling)" + Self.list(allowed))
            }
            guard allowed.contains(found) else {
                throw Malformed(
                    reason: "has the placeholder \(spelling), which has no value there"
                        + Self.list(allowed))
            }
            parts.append(.value(found))
            rest = rest[(close + 2)...]
        }
        if !rest.isEmpty { parts.append(.text(Self.text(rest))) }
        if let required, !parts.contains(.value(required)) {
            throw Malformed(reason: "needs the placeholder \(required.spelling)")
        }
        self.parts = parts
    }

    /// The template's text.
    var source: String {
        parts.reduce(into: "") { text, part in
            switch part {
            case .text(let plain): text += plain
            case .value(let placeholder): text += placeholder.spelling
            }
        }
    }

    /// The text with every placeholder replaced once.
    func filled(_ value: (Placeholder) -> String) -> String {
        parts.reduce(into: "") { text, part in
            switch part {
            case .text(let plain): text += plain
            case .value(let placeholder): text += value(placeholder)
            }
        }
    }

    private static func list(_ allowed: [Placeholder]) -> String {
        allowed.isEmpty
            ? "; it can have none"
            : "; it can have " + allowed.map(\.spelling).joined(separator: ", ")
    }

    private static func index(of mark: StaticString, in bytes: ArraySlice<UInt8>) -> Int? {
        let mark = Array(mark.description.utf8)
        return bytes.indices.first { bytes[$0...].starts(with: mark) }
    }

    /// The beginning of bytes on one line, for a message.
    private static func shown(_ bytes: ArraySlice<UInt8>) -> String {
        let limit = 40
        let text = String(text(bytes).prefix(limit).map { $0.isNewline ? " " : $0 })
        return bytes.count > limit ? text + "..." : text
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes, as: UTF8.self)
    }
}
