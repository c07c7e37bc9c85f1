/// Gathers the best of many matches.
struct BestMatches {
    private let count: Int
    private var matches: [VectorMatch] = []
    /// No match below this can still be among the best; one that equals it may be, by its row.
    private(set) var floor = -Float.infinity

    init(count: Int) {
        self.count = count
        matches.reserveCapacity(2 * count)
    }

    /// Takes a match into account.
    mutating func add(_ match: VectorMatch) {
        guard match.similarity >= floor else { return }
        matches.append(match)
        // Sorting once for every `count` matches costs less than keeping an order all the time.
        if matches.count >= 2 * count { cut() }
    }

    /// The best, best first.
    mutating func finish() -> [VectorMatch] {
        cut()
        return matches
    }

    /// Forgets all but the best, and so knows the floor.
    mutating func cut() {
        matches.sort { $0.precedes($1) }
        guard matches.count >= count, let last = matches[..<count].last else { return }
        matches.removeSubrange(count...)
        floor = last.similarity
    }
}
