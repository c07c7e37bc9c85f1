import CommandSupport

/// What changed between two texts, word by word, as a person reads it.
struct WordDiff {
    private let runs: [SequenceDiff<String>.Run]
    /// Words around a change that are shown, so that its place is recognised.
    private static let context = 8

    init(from old: String, to new: String) {
        runs = SequenceDiff(from: Self.words(old), to: Self.words(new)).runs
    }

    /// Words, runs of white space, and other characters one by one.
    static func words(_ text: String) -> [String] {
        enum Kind { case word, space, other }
        func kind(_ character: Character) -> Kind {
            if character.isWhitespace { return .space }
            return character.isLetter || character.isNumber || character == "_" ? .word : .other
        }
        var words: [String] = []
        var last: Kind?
        for character in text {
            let kind = kind(character)
            if kind == last, kind != .other {
                words[words.count - 1].append(character)
            } else {
                words.append(String(character))
            }
            last = kind
        }
        return words
    }

    /// Lines of at most `width` columns: `[-old-]{+new+}` without colour, red and green with it.
    func lines(width: Int, style: Style) -> [String] {
        var pieces: [Piece] = []
        for (index, run) in runs.enumerated() {
            switch run {
            case .kept(let words):
                let isFirst = index == 0
                let isLast = index == runs.count - 1
                pieces += Self.shortened(words, before: !isFirst, after: !isLast).map {
                    Piece(text: $0, look: .plain)
                }
            case .removed(let words): pieces.append(Piece(text: words.joined(), look: .removed))
            case .inserted(let words): pieces.append(Piece(text: words.joined(), look: .inserted))
            }
        }
        return Self.wrapped(pieces, width: max(width, 20), style: style)
    }

    private struct Piece {
        enum Look { case plain, removed, inserted }
        var text: String
        var look: Look
    }

    /// Kept words with the middle of a long stretch left out.
    private static func shortened(_ words: [String], before: Bool, after: Bool) -> [String] {
        let head = before ? 2 * context : 0
        let tail = after ? 2 * context : 0
        guard words.count > head + tail + 3 else { return [words.joined()] }
        var result: [String] = []
        if before { result.append(words.prefix(head).joined()) }
        result.append(before && after ? " … " : "…")
        if after { result.append(words.suffix(tail).joined()) }
        return result
    }

    /// A word with its look; white space between words is shown as one space, lines are broken anew.
    private struct Atom {
        let text: String
        let look: Piece.Look
        let needsSpace: Bool
    }

    private static func atoms(_ pieces: [Piece]) -> [Atom] {
        var atoms: [Atom] = []
        var needsSpace = false
        for piece in pieces {
            let words = piece.text.split(whereSeparator: \.isWhitespace)
            if words.isEmpty, piece.look != .plain {
                atoms.append(Atom(text: "␣", look: piece.look, needsSpace: false))
            }
            if piece.text.first?.isWhitespace ?? false { needsSpace = true }
            for word in words {
                atoms.append(
                    Atom(text: String(word).printable(), look: piece.look, needsSpace: needsSpace))
                needsSpace = true
            }
            needsSpace = piece.text.last?.isWhitespace ?? needsSpace
        }
        return atoms
    }

    private static func wrapped(_ pieces: [Piece], width: Int, style: Style) -> [String] {
        var lines: [String] = []
        var line = ""
        var used = 0
        var run = ""
        var look = Piece.Look.plain
        func closeRun() {
            if !run.isEmpty { line += marked(run, look, style) }
            run = ""
        }
        for atom in atoms(pieces) {
            let space = atom.needsSpace && used > 0 ? 1 : 0
            if space == 1, used + 1 + atom.text.displayWidth > width {
                closeRun()
                lines.append(line)
                line = ""
                used = 0
            } else if atom.look != look {
                closeRun()
                line += space == 1 ? " " : ""
                used += space
            } else {
                run += space == 1 ? " " : ""
                used += space
            }
            look = atom.look
            run += atom.text
            used += atom.text.displayWidth
        }
        closeRun()
        return line.isEmpty ? lines : lines + [line]
    }

    private static func marked(_ text: String, _ look: Piece.Look, _ style: Style) -> String {
        switch (look, style.isEnabled) {
        case (.plain, _): text
        case (.removed, true): style.red(text)
        case (.inserted, true): style.green(text)
        case (.removed, false): "[-\(text)-]"
        case (.inserted, false): "{+\(text)+}"
        }
    }
}
