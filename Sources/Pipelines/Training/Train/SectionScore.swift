internal import Artifacts

/// ln of the sum of e^score over some candidates, and its gradient: how strongly the policy favours a
/// section that has several chunks.
///
/// The probability that softmax gives to a section is e to this, over the same for all candidates.
struct SectionScore {
    let value: Double
    let gradient: [Double]

    init(_ features: CandidateSignals, _ candidates: some Collection<Int>, scores: [Double]) {
        let columns = CandidateSignals.columns
        var greatest = -Double.infinity
        for candidate in candidates { greatest = max(greatest, scores[candidate]) }
        var sum = 0.0
        var gradient = [Double](repeating: 0, count: columns)
        for candidate in candidates {
            let part = PortableMath.exp(scores[candidate] - greatest)
            sum += part
            for column in 0..<columns {
                gradient[column] += part * features.values[candidate * columns + column]
            }
        }
        for column in 0..<columns { gradient[column] /= sum }
        value = greatest + PortableMath.log(sum)
        self.gradient = gradient
    }
}
