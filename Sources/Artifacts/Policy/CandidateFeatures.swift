/// The features of one question's candidates: a row-major matrix, one row per candidate and one column
/// per ``PolicyFeature``.
public struct CandidateFeatures: Sendable {
    /// The number of columns.
    public static let columns = PolicyFeature.allCases.count
    /// The number of candidates.
    public let count: Int
    /// The numbers.
    public let values: [Double]

    /// Makes the features of candidates whose order they keep.
    ///
    /// - Parameters:
    ///   - question: The question.
    ///   - passages: The texts of the candidates.
    ///   - cosines: The cosine of each with the question.
    public init(_ question: QuestionText, passages: [PassageText], cosines: [Float]) {
        precondition(passages.count == cosines.count, "every candidate has a cosine")
        count = passages.count
        var best: [UInt64: [Float]] = [:]
        for (passage, cosine) in zip(passages, cosines) {
            var three = best[passage.document] ?? []
            three.append(cosine)
            three.sort(by: >)
            best[passage.document] = Array(three.prefix(3))
        }
        var values: [Double] = []
        values.reserveCapacity(count * Self.columns)
        for (passage, cosine) in zip(passages, cosines) {
            var row = question.features(of: passage, cosine: cosine)
            let three = best[passage.document] ?? []
            row[PolicyFeature.document.index] =
                three.reduce(0.0) { $0 + Double($1) } / Double(max(1, three.count))
            values.append(contentsOf: row)
        }
        self.values = values
    }

    /// Makes a matrix from its numbers.
    ///
    /// - Parameter values: A multiple of ``columns`` numbers.
    public init(values: [Double]) {
        precondition(values.count.isMultiple(of: Self.columns), "every candidate has all features")
        count = values.count / Self.columns
        self.values = values
    }

    /// Every column multiplied by its number of `scale`.
    public func scaled(by scale: [Double]) -> CandidateFeatures {
        precondition(scale.count == Self.columns, "every feature has a scale")
        var scaled = values
        for index in scaled.indices { scaled[index] *= scale[index % Self.columns] }
        return CandidateFeatures(values: scaled)
    }

    /// The scores of the candidates: the inner products of their features and `weights`, added in the
    /// order of the features.
    public func scores(_ weights: [Double]) -> [Double] {
        precondition(weights.count == Self.columns, "every feature has a weight")
        return (0..<count).map { candidate in
            var score = 0.0
            for column in 0..<Self.columns {
                score += weights[column] * values[candidate * Self.columns + column]
            }
            return score
        }
    }
}
