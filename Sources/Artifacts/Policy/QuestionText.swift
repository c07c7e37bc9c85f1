/// A question as the policy sees it: the stems of its words and how much each says.
public struct QuestionText: Sendable {
    /// Different stems that are no stop words, in order.
    let stems: [UInt64]
    /// The inverse document frequency of each.
    let weights: [Double]
    /// The sum of ``weights``.
    let totalWeight: Double
    /// The stem with the greatest weight, the first of equals.
    let rarest: UInt64?
    private let statistics: LexicalStatistics

    /// Reads the words of a question.
    public init(_ question: String, statistics: LexicalStatistics) {
        let stems = PassageText.contentStems(question)
        let weights = stems.map { statistics.weight(of: $0) }
        var best: Int?
        for index in stems.indices where best.map({ weights[index] > weights[$0] }) ?? true {
            best = index
        }
        self.stems = stems
        self.weights = weights
        totalWeight = weights.reduce(0, +)
        rarest = best.map { stems[$0] }
        self.statistics = statistics
    }

    /// The number of different words that count.
    public var wordCount: Int { stems.count }

    /// Which of the question's words occur in a text, in any form.
    public func words(foundIn text: String) -> Set<Int> {
        let found = Set(PassageText.contentStems(text))
        return Set(stems.indices.filter { found.contains(stems[$0]) })
    }

    /// How much of the question some of its words are, by inverse document frequency: from 0 to 1.
    public func share(of words: Set<Int>) -> Double {
        guard totalWeight > 0 else { return 0 }
        var sum = 0.0
        for index in stems.indices where words.contains(index) { sum += weights[index] }
        return sum / totalWeight
    }

    /// The share of the question that is found among stems.
    func share(in found: [UInt64]) -> Double {
        guard totalWeight > 0 else { return 0 }
        var sum = 0.0
        for (stem, weight) in zip(stems, weights) where found.contains(stem) { sum += weight }
        return sum / totalWeight
    }

    /// All features of a candidate except those that look at the other candidates.
    func features(of passage: PassageText, cosine: Float) -> [Double] {
        var result = [Double](repeating: 0, count: PolicyFeature.allCases.count)
        result[PolicyFeature.cosine.index] = Double(cosine)
        result[PolicyFeature.heading.index] = share(in: passage.headingStems)
        result[PolicyFeature.title.index] = share(in: passage.titleStems)
        result[PolicyFeature.focus.index] = focus(on: passage.headingStems)
        let words = Double(passage.stems.count)
        result[PolicyFeature.length.index] = words / (words + statistics.meanWords)
        result[PolicyFeature.opening.index] = 1 / Double(1 + passage.ordinal)
        if let rarest,
            passage.stems.contains(rarest) || passage.headingStems.contains(rarest)
                || passage.titleStems.contains(rarest)
        {
            result[PolicyFeature.rarest.index] = 1
        }
        addTextFeatures(of: passage, to: &result)
        return result
    }

    private func focus(on heading: [UInt64]) -> Double {
        var found = 0.0
        var total = 0.0
        for stem in heading {
            let weight = statistics.weight(of: stem)
            total += weight
            if stems.contains(stem) { found += weight }
        }
        return total > 0 ? found / total : 0
    }

    private func addTextFeatures(of passage: PassageText, to result: inout [Double]) {
        guard totalWeight > 0 else { return }
        var counts = [Int](repeating: 0, count: stems.count)
        var neighbours = [Bool](repeating: false, count: stems.count)
        var closeness = 0.0
        var last: (stem: Int, at: Int)?
        for (position, stem) in passage.stems.enumerated() {
            guard let index = stems.firstIndex(of: stem) else { continue }
            counts[index] += 1
            if let last, last.stem != index {
                closeness += 1 / Double(position - last.at)
                if index == last.stem + 1, position == last.at + 1 { neighbours[index] = true }
            }
            last = (index, position)
        }
        let k1 = 1.2
        let b = 0.75
        let norm = k1 * (1 - b + b * Double(passage.stems.count) / statistics.meanWords)
        var found = 0.0
        var saturated = 0.0
        for (index, count) in counts.enumerated() where count > 0 {
            found += weights[index]
            saturated += weights[index] * Double(count) / (Double(count) + norm)
        }
        result[PolicyFeature.text.index] = found / totalWeight
        result[PolicyFeature.frequency.index] = saturated / totalWeight
        let gaps = Double(max(1, stems.count - 1))
        result[PolicyFeature.pairs.index] = Double(neighbours.count { $0 }) / gaps
        result[PolicyFeature.proximity.index] = min(1, closeness / gaps)
    }
}
