import CommandSupport

/// A word diff of two texts, formatted for people.
struct WordDiff {
    private let runs: [SequenceDiff<String>.Run]
    /// The words shown around a change, to give its context.
    private static let context = 8

    init(from old: String, to new: String) {
        runs = SequenceDiff(from: Self.words(old), to: Self.words(new)).runs
    }

    /// Splits a text into words, runs of white space, and single other characters.
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

    /// Lines of `width` columns, not counting the marks: `[-old-]{+new+}` without colour, red and green with it.
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

    /// Unchanged words; in a long run, only those next to a change.
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

    /// A word with its look. White space between words becomes one space, and lines are rewrapped.
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

/// A line diff of two texts, with a little context.
struct LineDiff {
    private let runs: [SequenceDiff<String>.Run]
    /// Stands for a missing newline at the end of a text; no real line can equal it.
    private static let noLineBreak = "\n"
    /// The lines shown around a change.
    private static let context = 2

    init(from old: String, to new: String) {
        func lines(_ text: String) -> [String] {
            var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(
                String.init)
            // A newline ends a line; a missing one at the end of the text counts as a difference.
            if lines.last == "" {
                lines.removeLast()
            } else {
                lines.append(Self.noLineBreak)
            }
            return lines
        }
        runs = SequenceDiff(from: lines(old), to: lines(new)).runs
    }

    /// The lines, each prefixed with `+`, `-` or a space.
    func lines(style: Style) -> [String] {
        var result: [String] = []
        for (index, run) in runs.enumerated() {
            switch run {
            case .removed(let lines):
                result += lines.map { style.red("-\(Self.shown($0))") }
            case .inserted(let lines):
                result += lines.map { style.green("+\(Self.shown($0))") }
            case .kept(let lines):
                let head = index == 0 ? [] : Array(lines.prefix(Self.context))
                let rest = lines.dropFirst(head.count)
                let tail = index == runs.count - 1 ? [] : Array(rest.suffix(Self.context))
                result += head.map { " \(Self.shown($0))" }
                if rest.count > tail.count { result.append(style.dim(" …")) }
                result += tail.map { " \(Self.shown($0))" }
            }
        }
        return result
    }

    private static func shown(_ line: String) -> String {
        line == noLineBreak ? "(no newline at end of file)" : line.printable()
    }
}

/// The shortest edit from one list to another by removing and inserting elements. If that takes too many steps, removes
/// and inserts everything between the common ends.
///
/// E. W. Myers, "An O(ND) Difference Algorithm and Its Variations" (1986).
struct SequenceDiff<Element: Hashable> {
    /// A run of elements with the same fate.
    enum Run: Equatable {
        case kept([Element])
        case removed([Element])
        case inserted([Element])
    }

    /// The runs in order; at one position, removed elements come before inserted ones.
    private(set) var runs: [Run] = []
    /// The most edits that are searched for: beyond that, two texts have too little in common for a diff to help, and
    /// memory would grow with the square of the number of edits.
    private static var stepLimit: Int { 800 }

    init(from old: [Element], to new: [Element]) {
        let prefix = zip(old, new).prefix { $0 == $1 }.count
        let suffix = zip(old.dropFirst(prefix).reversed(), new.dropFirst(prefix).reversed())
            .prefix { $0 == $1 }.count
        let oldMiddle = Array(old[prefix..<old.count - suffix])
        let newMiddle = Array(new[prefix..<new.count - suffix])
        append(.kept(Array(old[..<prefix])))
        if let kept = Self.commonPositions(oldMiddle, newMiddle) {
            var oldAt = 0
            var newAt = 0
            var index = 0
            while index < kept.count {
                // Append whole stretches: appending single elements would copy the run each time.
                let first = kept[index]
                var end = index + 1
                while end < kept.count, kept[end].old == first.old + end - index,
                    kept[end].new == first.new + end - index
                { end += 1 }
                append(.removed(Array(oldMiddle[oldAt..<first.old])))
                append(.inserted(Array(newMiddle[newAt..<first.new])))
                append(.kept(Array(oldMiddle[first.old..<first.old + end - index])))
                (oldAt, newAt) = (first.old + end - index, first.new + end - index)
                index = end
            }
            append(.removed(Array(oldMiddle[oldAt...])))
            append(.inserted(Array(newMiddle[newAt...])))
        } else {
            append(.removed(oldMiddle))
            append(.inserted(newMiddle))
        }
        append(.kept(Array(old.suffix(suffix))))
    }

    private mutating func append(_ run: Run) {
        switch (runs.last, run) {
        case (_, .kept([])), (_, .removed([])), (_, .inserted([])): break
        case (.kept(let a)?, .kept(let b)): runs[runs.count - 1] = .kept(a + b)
        case (.removed(let a)?, .removed(let b)): runs[runs.count - 1] = .removed(a + b)
        case (.inserted(let a)?, .inserted(let b)): runs[runs.count - 1] = .inserted(a + b)
        default: runs.append(run)
        }
    }

    private struct Pair {
        let old: Int
        let new: Int
    }

    /// The positions of a longest common subsequence; nil if it takes too many steps to find.
    private static func commonPositions(_ old: [Element], _ new: [Element]) -> [Pair]? {
        let limit = min(old.count + new.count, stepLimit)
        // furthest[k] is how far diagonal k - limit reaches into `old`.
        var furthest = Array(repeating: 0, count: 2 * limit + 2)
        var history: [[Int]] = []
        for step in 0...limit {
            history.append(furthest)
            for diagonal in stride(from: -step, through: step, by: 2) {
                let k = diagonal + limit
                let goesDown =
                    diagonal == -step
                    || (diagonal != step && furthest[k - 1] < furthest[k + 1])
                var x = goesDown ? furthest[k + 1] : furthest[k - 1] + 1
                var y = x - diagonal
                while x < old.count, y < new.count, old[x] == new[y] {
                    x += 1
                    y += 1
                }
                furthest[k] = x
                if x >= old.count, y >= new.count {
                    return backtrack(history, limit: limit, old: old.count, new: new.count)
                }
            }
        }
        return nil
    }

    private static func backtrack(
        _ history: [[Int]], limit: Int, old: Int, new: Int
    ) -> [Pair] {
        var pairs: [Pair] = []
        var x = old
        var y = new
        for (step, furthest) in history.enumerated().reversed() {
            let diagonal = x - y
            let k = diagonal + limit
            let cameDown =
                diagonal == -step || (diagonal != step && furthest[k - 1] < furthest[k + 1])
            let startX = step == 0 ? 0 : cameDown ? furthest[k + 1] : furthest[k - 1] + 1
            while x > startX {
                x -= 1
                y -= 1
                pairs.append(Pair(old: x, new: y))
            }
            if cameDown { y -= 1 } else { x -= 1 }
        }
        return pairs.reversed()
    }
}
