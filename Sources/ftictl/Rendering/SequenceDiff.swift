/// The shortest way from one list to another by removing and inserting elements.
///
/// E. W. Myers, "An O(ND) Difference Algorithm and Its Variations" (1986).
struct SequenceDiff<Element: Hashable> {
    /// A run of elements with the same fate.
    enum Run: Equatable {
        case kept([Element])
        case removed([Element])
        case inserted([Element])
    }

    /// The runs in order; where both happen at one place, the removed ones come first.
    private(set) var runs: [Run] = []
    /// Beyond this many steps two texts have so little in common that a word diff explains nothing,
    /// and the search would need memory that grows with the square of it.
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
                // Stretches, not elements: joining runs one element at a time would copy all that came before.
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

    /// The positions of a longest common subsequence, or nil when it takes too many steps to find.
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
