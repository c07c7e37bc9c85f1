import CommandSupport

/// What changed between two texts, line by line, with a little of what is around it.
struct LineDiff {
    private let runs: [SequenceDiff<String>.Run]
    /// Stands behind a last line that has no line break; a real line holds no line break.
    private static let noLineBreak = "\n"
    /// Lines around a change that are shown.
    private static let context = 2

    init(from old: String, to new: String) {
        func lines(_ text: String) -> [String] {
            var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(
                String.init)
            // A line break ends a line and begins none; that the last one is missing is a difference.
            if lines.last == "" {
                lines.removeLast()
            } else {
                lines.append(Self.noLineBreak)
            }
            return lines
        }
        runs = SequenceDiff(from: lines(old), to: lines(new)).runs
    }

    /// The lines, each with `+`, `-` or a space before it.
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
        line == noLineBreak ? "(no line break at the end)" : line.printable()
    }
}
