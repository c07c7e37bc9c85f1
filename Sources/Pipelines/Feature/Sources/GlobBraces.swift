/// The alternatives of a pattern: what its braces stand for.
enum GlobBraces {
    /// A pattern with more is not written by hand.
    private static let alternativeLimit = 256
    /// The most elements of all alternatives together.
    private static let elementLimit = 16_384

    /// An open brace: what stood before it, the alternatives that are complete, and the one at hand.
    private struct Level {
        let before: [[GlobElement]]
        var complete: [[GlobElement]] = []
        var hasComma = false
    }

    /// The alternatives of a text, braces within braces included.
    static func expand(_ text: String) throws(GlobPattern.Malformed) -> [[GlobElement]] {
        let scalars = Array(text.unicodeScalars)
        var open: [Level] = []
        var present: [[GlobElement]] = [[]]
        var at = 0
        while at < scalars.count {
            switch scalars[at] {
            case "{":
                open.append(Level(before: present))
                present = [[]]
                at += 1
            case "," where !open.isEmpty:
                open[open.count - 1].complete += present
                open[open.count - 1].hasComma = true
                present = [[]]
                at += 1
            case "}":
                guard let level = open.popLast() else {
                    throw GlobPattern.Malformed(
                        reason: "has a } without its {: write \\} for the character")
                }
                guard level.hasComma else {
                    throw GlobPattern.Malformed(
                        reason: "has braces without a comma: write \\{ for the character")
                }
                present = try product(level.before, level.complete + present)
                at += 1
            default:
                let element = try GlobElement.read(scalars, &at)
                for index in present.indices { present[index].append(element) }
            }
            try check(open.reduce(present.count) { $0 + $1.complete.count }, present)
        }
        guard open.isEmpty else {
            throw GlobPattern.Malformed(
                reason: "has a { without its }: write \\{ for the character")
        }
        return present
    }

    private static func product(
        _ before: [[GlobElement]], _ after: [[GlobElement]]
    ) throws(GlobPattern.Malformed) -> [[GlobElement]] {
        try check(before.count * after.count, [])
        return before.flatMap { start in after.map { start + $0 } }
    }

    private static func check(
        _ count: Int, _ present: [[GlobElement]]
    ) throws(GlobPattern.Malformed) {
        guard count <= alternativeLimit, present.count * (present.first?.count ?? 0) <= elementLimit
        else { throw GlobPattern.Malformed(reason: "has too many alternatives") }
    }
}
