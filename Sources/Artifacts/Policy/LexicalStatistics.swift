/// How many rows of a features snapshot contain a word, by hashed stem: rare words say more than common
/// ones.
public struct LexicalStatistics: Hashable, Sendable {
    /// The number of places that stems are hashed into.
    public static let places = 1 << 16

    /// The inverse document frequency of each place: ln(1 + (n - d + 1/2) / (d + 1/2)) for n rows of which
    /// d contain a stem of that place.
    public let inverseFrequencies: [Float]
    /// The mean number of words of a row, at least 1.
    public let meanWords: Double
    /// The number of rows.
    public let rows: Int

    init(inverseFrequencies: [Float], meanWords: Double, rows: Int) {
        self.inverseFrequencies = inverseFrequencies
        self.meanWords = meanWords
        self.rows = rows
    }

    /// The weight of a stem.
    public func weight(of stem: UInt64) -> Double {
        Double(inverseFrequencies[Self.place(of: stem)])
    }

    static func place(of stem: UInt64) -> Int { Int(truncatingIfNeeded: stem >> 48) }

    /// Counts the rows that contain a stem; the order of the rows does not matter.
    public struct Counter: Sendable {
        private var frequencies = [Int](repeating: 0, count: places)
        private var lastRow = [Int](repeating: 0, count: places)
        private var words = 0
        private var rows = 0

        /// Begins with no rows.
        public init() {}

        /// Adds a row.
        public mutating func add(_ passage: PassageText) {
            rows += 1
            words += passage.stems.count
            for stem in passage.stems { count(stem) }
            for stem in passage.headingStems { count(stem) }
        }

        /// The statistics of the rows so far.
        public func finish() -> LexicalStatistics {
            let total = Double(rows)
            let inverse = frequencies.map { frequency in
                let count = Double(frequency)
                return Float(PortableMath.log(1 + (total - count + 0.5) / (count + 0.5)))
            }
            return LexicalStatistics(
                inverseFrequencies: inverse,
                meanWords: max(1, rows == 0 ? 1 : Double(words) / total), rows: rows)
        }

        private mutating func count(_ stem: UInt64) {
            let place = LexicalStatistics.place(of: stem)
            guard lastRow[place] != rows else { return }
            lastRow[place] = rows
            frequencies[place] += 1
        }
    }
}
