/// Gathers the rows whose signs differ least from a query's.
struct NearestSigns: Sendable {
    /// A row, and in how many signs it differs.
    struct Candidate: Sendable {
        let distance: UInt32
        let row: Int
    }

    private let count: Int
    private(set) var candidates: [Candidate] = []
    /// How many of the candidates have each distance, and how many have one that is not above the limit.
    private var histogram: [Int]
    private var within = 0
    /// Rows that differ in more signs are not among those sought.
    private(set) var limit: Int

    init(count: Int, greatest: Int) {
        self.count = count
        limit = greatest
        histogram = [Int](repeating: 0, count: greatest + 1)
    }

    /// Adds a row whose distance is not above the limit.
    mutating func add(_ candidate: Candidate) {
        candidates.append(candidate)
        histogram[Int(candidate.distance)] += 1
        within += 1
        // Without the rows at the limit there are still enough: the limit falls.
        while limit > 0, within - histogram[limit] >= count {
            within -= histogram[limit]
            limit -= 1
        }
        if candidates.count > 4 * count + 1024 {
            candidates.removeAll { Int($0.distance) > limit }
        }
    }

    /// The rows sought, ascending: of those that differ in equally many signs the lower ones.
    static func rows(_ candidates: [Candidate], count: Int) -> [Int] {
        let nearest = candidates.sorted {
            $0.distance != $1.distance ? $0.distance < $1.distance : $0.row < $1.row
        }
        return nearest.prefix(count).map(\.row).sorted()
    }
}
