/// The signals of one question's candidates: a row-major matrix, one row per candidate and one column
/// per ``Signal``.
public struct CandidateSignals: Sendable {
    /// The number of columns.
    public static let columns = Signal.allCases.count
    /// The number of candidates.
    public let count: Int
    /// The numbers.
    public let values: [Double]

    /// Makes a matrix from its numbers.
    ///
    /// - Parameter values: A multiple of ``columns`` numbers.
    public init(values: [Double]) {
        precondition(values.count.isMultiple(of: Self.columns), "every candidate has all signals")
        count = values.count / Self.columns
        self.values = values
    }

    /// Computes the signals of candidates, whose order they keep.
    init(
        _ question: Question, _ candidates: [Candidate], rows: [FeatureRow], words: [RowWords]
    ) {
        precondition(candidates.count == rows.count, "every candidate has a row")
        var best: [String: [Float]] = [:]
        for (candidate, row) in zip(candidates, rows) {
            best[row.document, default: []].append(candidate.similarity)
        }
        best = best.mapValues { Array($0.sorted(by: >).prefix(3)) }
        let bound = question.bound
        var values: [Double] = []
        values.reserveCapacity(candidates.count * Self.columns)
        for (index, candidate) in candidates.enumerated() {
            let row = rows[index]
            var signals = words[index].signals(of: row, for: question)
            signals[Signal.words.index] = bound > 0 ? Double(candidate.words) / bound : 0
            signals[Signal.vector.index] = Double(candidate.similarity)
            let three = best[row.document] ?? []
            signals[Signal.document.index] =
                three.reduce(0.0) { $0 + Double($1) } / Double(max(1, three.count))
            values.append(contentsOf: signals)
        }
        self.init(values: values)
    }

    /// The signals of a candidate.
    public subscript(candidate: Int) -> ArraySlice<Double> {
        values[candidate * Self.columns..<(candidate + 1) * Self.columns]
    }

    /// Every column multiplied by its number of `scale`.
    public func scaled(by scale: [Double]) -> CandidateSignals {
        precondition(scale.count == Self.columns, "every signal has a scale")
        var scaled = values
        for index in scaled.indices { scaled[index] *= scale[index % Self.columns] }
        return CandidateSignals(values: scaled)
    }

    /// The scores of the candidates: the inner products of their signals and `weights`, added in the
    /// order of the signals.
    public func scores(_ weights: [Double]) -> [Double] {
        precondition(weights.count == Self.columns, "every signal has a weight")
        return (0..<count).map { candidate in
            var score = 0.0
            for column in 0..<Self.columns {
                score += weights[column] * values[candidate * Self.columns + column]
            }
            return score
        }
    }
}
