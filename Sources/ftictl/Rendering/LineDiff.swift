import CommandSupport

/// What changed between two texts, line by line, with a little of what is around it.
struct LineDiff {
    private let runs: [SequenceDiff<String>.Run]
    /// Lines around a change that are shown.
    private static let context = 2

    init(from old: String, to new: String) {
        func lines(_ text: String) -> [String] {
            text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        }
        runs = SequenceDiff(from: lines(old), to: lines(new)).runs
    }

    /// The lines, each with `+`, `-` or a space before it.
    func lines(style: Style) -> [String] {
        var result: [String] = []
        for (index, run) in runs.enumerated() {
            switch run {
            case .removed(let lines):
                result += lines.map { style.red("-\($0.printable())") }
            case .inserted(let lines):
                result += lines.map { style.green("+\($0.printable())") }
            case .kept(let lines):
                let head = index == 0 ? [] : Array(lines.prefix(Self.context))
                let rest = lines.dropFirst(head.count)
                let tail = index == runs.count - 1 ? [] : Array(rest.suffix(Self.context))
                result += head.map { " \($0.printable())" }
                if rest.count > tail.count { result.append(style.dim(" …")) }
                result += tail.map { " \($0.printable())" }
            }
        }
        return result
    }
}
