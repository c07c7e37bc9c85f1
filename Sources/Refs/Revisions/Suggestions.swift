/// Refs that a mistyped name may have been meant for.
enum Suggestions {
    /// How many are offered at most: more is a listing, not a suggestion.
    private static let limit = 3

    /// The refs nearest to `text`, nearest first; empty when none is near.
    ///
    /// Near is the last component of a ref, or an edit distance (Levenshtein) of at most a third of its
    /// length.
    static func near(_ text: String, among names: some Sequence<RefName>) -> [RefName] {
        let wanted = Array(text.utf8)
        let last = Array(wanted.split(separator: 0x2F).last ?? [])
        var ranked: [(distance: Int, name: RefName)] = []
        for name in names {
            let candidate = Array(name.text.utf8)
            let distance = distance(wanted, candidate)
            if name.components.last.map({ Array($0.utf8) == last }) ?? false {
                ranked.append((min(distance, 1), name))
            } else if distance <= max(2, candidate.count / 3) {
                ranked.append((distance, name))
            }
        }
        ranked.sort { ($0.distance, $0.name) < ($1.distance, $1.name) }
        return ranked.prefix(limit).map(\.name)
    }

    /// `; did you mean models/current?`, or nothing.
    static func question(_ names: [RefName]) -> String {
        names.isEmpty
            ? "" : "; did you mean " + names.map(\.text).joined(separator: " or ") + "?"
    }

    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        // Names have at most 200 bytes; longer text is no near miss of any.
        guard left.count <= RefName.byteLimit, right.count <= RefName.byteLimit else { return .max }
        var row = Array(0...right.count)
        for (i, byte) in left.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, other) in right.enumerated() {
                let above = row[j + 1]
                row[j + 1] = min(above + 1, row[j] + 1, diagonal + (byte == other ? 0 : 1))
                diagonal = above
            }
        }
        return row[right.count]
    }
}
