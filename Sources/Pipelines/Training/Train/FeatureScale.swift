internal import Artifacts

/// What features are multiplied by so that their weights compare.
enum FeatureScale {
    /// A feature that varies less than this teaches nothing; its scale is 1, so that its weight stays.
    private static let least = 1e-9

    /// 1 / the standard deviation of each feature over all candidates of all questions.
    static func of(_ questions: [CandidateSignals]) -> [Float] {
        let columns = CandidateSignals.columns
        var sums = [Double](repeating: 0, count: columns)
        var count = 0.0
        for features in questions {
            for index in features.values.indices { sums[index % columns] += features.values[index] }
            count += Double(features.count)
        }
        guard count > 0 else { return [Float](repeating: 1, count: columns) }
        let means = sums.map { $0 / count }
        var squares = [Double](repeating: 0, count: columns)
        for features in questions {
            for index in features.values.indices {
                let distance = features.values[index] - means[index % columns]
                squares[index % columns] += distance * distance
            }
        }
        return squares.map { square in
            let deviation = (square / count).squareRoot()
            return deviation > least ? Float(1 / deviation) : 1
        }
    }
}
