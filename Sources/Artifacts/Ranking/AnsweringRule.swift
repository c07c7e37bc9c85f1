internal import Objects

/// Decides whether the rows found for a question answer it.
///
/// Compares a weighted sum of a few kinds of evidence with a threshold. Each kind counts relative to the evidence
/// that unrelated questions find in the same documents.
public struct AnsweringRule: Hashable, Sendable {
    /// The kinds of evidence.
    public enum Evidence: String, CaseIterable, Sendable {
        /// The share of the question's words that the three best rows by words contain together.
        case coverage
        /// The best row's lexical score relative to the greatest possible one; with an embedder other than the built-in
        /// one, the greatest cosine.
        case strength
        /// The logarithm of the question's length relative to a short question: even the answer to a long question
        /// contains a smaller share of its words.
        case length
    }

    /// The weight of each kind of evidence, in order, followed by a constant.
    public var weights: [Double]
    /// The least sum that counts as an answer.
    public var threshold: Double
    /// The evidence found by chance: for coverage and strength, the median over ``decoys`` in the model's documents,
    /// with a lower limit in English ones; 0 for length.
    public var baseline: [Double]

    /// The untrained rule, fitted to labelled questions on two manuals and to 40 questions that neither answers.
    ///
    /// - Parameter isLexical: Whether the vectors come from the built-in embedder.
    public init(isLexical: Bool) {
        weights = isLexical ? [2.2, 11.9, 4.56, -3.22] : [3.79, 7.71, 2.59, -3.57]
        threshold = isLexical ? -0.65 : -0.85
        baseline = [0.35, isLexical ? 0.17 : 0.24, 0]
    }

    /// The weighted sum to compare with ``threshold``.
    public func score(_ evidence: [Double]) -> Double {
        precondition(evidence.count == baseline.count, "every kind of evidence has a number")
        var sum = weights[evidence.count]
        for index in evidence.indices {
            sum += weights[index] * (evidence[index] - baseline[index])
        }
        return sum
    }

    /// The lowest baselines of coverage and strength in English documents: in a small collection, the decoys find
    /// almost nothing by chance. Length does not depend on chance.
    private static let leastByChance = [0.25, 0.12]

    /// Sets the baseline from the evidence of the decoys.
    ///
    /// - Parameter areEnglish: Whether the documents are in the language of the decoys, English.
    public mutating func calibrate(_ decoys: [[Double]], areEnglish: Bool) {
        guard !decoys.isEmpty else { return }
        for (index, least) in Self.leastByChance.enumerated() {
            let values = decoys.map { $0[index] }.sorted()
            baseline[index] = max(
                areEnglish ? least : 0,
                (values[(values.count - 1) / 2] + values[values.count / 2]) / 2)
        }
    }

    /// The greatest magnitude of a stored number: with greater ones, a sum could overflow.
    private static let greatest = 1e9

    /// The stored form of the rule.
    var json: JSON {
        [
            "evidence": .array(Evidence.allCases.map { .string($0.rawValue) }),
            "weights": .array(weights.map { .number($0) }), "threshold": .number(threshold),
            "baseline": .array(baseline.map { .number($0) }),
        ]
    }

    init(_ reader: inout JSONObjectReader) throws(JSONSchemaError) {
        guard try reader.array("evidence") == Evidence.allCases.map({ .string($0.rawValue) })
        else { throw reader.error("evidence", "must match this version") }
        weights = try reader.array("weights").compactMap(\.number)
        baseline = try reader.array("baseline").compactMap(\.number)
        threshold = try reader.number("threshold")
        let count = Evidence.allCases.count
        guard weights.count == count + 1, baseline.count == count else {
            throw reader.error("weights", "must be \(count + 1) numbers, baseline \(count)")
        }
        guard (weights + baseline + [threshold]).allSatisfy({ $0.magnitude <= Self.greatest })
        else {
            throw reader.error("weights", "or baseline or threshold is out of range")
        }
    }
}

extension AnsweringRule {
    /// Questions that few documents answer. A real question must find more evidence than these find by chance.
    public static let decoys = """
        How tall is Mount Everest?
        Which river flows through London?
        how long does it take to roast a chicken
        What is the best way to learn the guitar?
        my tooth hurts when I drink something cold
        When did the second world war end?
        how do I change a flat tyre on my bicycle
        Who painted the Mona Lisa?
        recipe for pancakes without eggs
        What is the difference between a crocodile and an alligator?
        my cat does not want to eat any more
        How many calories does a banana have?
        how do I apply for a visa for Canada
        which team won the league last year
        How do I remove a scratch from a wooden table?
        what is the weather going to be tomorrow
        how much tax do I pay on a second job
        Can I plant potatoes in a pot on the balcony?
        how do I get chewing gum out of my hair
        When is the next train to Vienna?
        How do I create a pivot table in Excel?
        photoshop: cut out a person from the background
        my printer says paper jam but there is no paper in it
        How do I install a printer driver on Windows 11?
        word: number the pages starting from the third page
        why is my wifi so slow in the bedroom
        How do I reset a forgotten Gmail password?
        git: undo the last commit but keep the changes
        css: center a div vertically
        react hook useEffect runs twice
        java NullPointerException when I call a method
        how do I root my android phone
        kubernetes pod stays in CrashLoopBackOff
        How do I write a for loop in bash?
        which linux distribution is best for an old laptop
        unity: the player falls through the floor
        How do I train a neural network to recognise handwriting?
        wordpress white screen after updating a plugin
        excel formula to count cells that are not empty
        What does a software developer earn in Switzerland?
        """.split(separator: "\n").map(String.init)
}
