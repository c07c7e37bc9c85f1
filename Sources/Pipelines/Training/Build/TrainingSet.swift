internal import Artifacts
internal import Objects
internal import Storage
internal import TextAnalysis

/// A question whose answers are rows of the features.
struct ResolvedQuestion: Sendable {
    let id: String
    let question: String
    /// The rows of all labelled sections, ascending.
    let rows: [Int]
    let isHeldOut: Bool
}

/// A question that the documents do not answer.
struct UnanswerableQuestion: Sendable {
    let id: String
    let question: String
    let isHeldOut: Bool
}

/// A preference for some rows of the features over others.
struct ResolvedPreference: Sendable {
    let id: String
    let question: String
    let chosen: [Int]
    let rejected: [Int]
    let isHeldOut: Bool
    /// Whether it was generated from a mistake of the ranker.
    var isGenerated = false
}

/// The result of the build stage: labels resolved to rows, in order of their ids; those of feedback come last.
struct TrainingSet: Sendable {
    var questions: [ResolvedQuestion] = []
    var preferences: [ResolvedPreference] = []
    /// Questions labelled as having no answer in the documents.
    var unanswerable: [UnanswerableQuestion] = []
    /// The number of questions none of whose labelled sections are in the features.
    var unresolvedQuestions = 0
    /// The number of preferences that the features cannot express: a section is missing, or both are the same.
    var unresolvedPreferences = 0
    /// Feedback on answers, if the configuration names any.
    var feedback: FeedbackExamples?
    /// Labelled sections that training cannot use: those of questions first, each kind in order of ids.
    var missing: [MissingLabel] = []

    /// How many questions with answers are for training, held out and unresolved.
    var questionCounts: TrainingReport.Counts {
        .init(questions.map(\.isHeldOut), unresolved: unresolvedQuestions)
    }

    /// How many preferences are for training, held out and unresolved.
    var preferenceCounts: TrainingReport.Counts {
        .init(preferences.map(\.isHeldOut), unresolved: unresolvedPreferences)
    }

    /// Resolves labels to rows, and decides which of them are held out.
    static func build(
        questions: [LabelledQuestion], preferences: [LabelledPreference], keys: FeatureKeys,
        heldOut: HeldOut
    ) -> TrainingSet {
        func rows(_ label: SectionLabel) -> Range<Int> {
            let rows = keys.rows(document: label.document, section: label.section)
            guard rows.isEmpty, let otherwise = label.otherwise else { return rows }
            return keys.rows(document: otherwise, section: label.section)
        }
        // A preference shares the split of its question; otherwise training would see what evaluation measures.
        var fates: [[UInt8]: Bool] = [:]
        var set = TrainingSet()
        for question in sorted(questions, by: \.id) {
            guard !question.answers.isEmpty else {
                set.unanswerable.append(
                    UnanswerableQuestion(
                        id: question.id, question: question.question,
                        isHeldOut: heldOut.contains(question.id)))
                continue
            }
            var found: Set<Int> = []
            var absent: [SectionLabel] = []
            for answer in question.answers {
                let rows = rows(answer)
                if rows.isEmpty { absent.append(answer) }
                found.formUnion(rows)
            }
            set.missing += absent.map {
                MissingLabel(.question, id: question.id, $0, isUsed: !found.isEmpty)
            }
            let isHeldOut = heldOut.contains(question.id)
            fates[Array(question.question.utf8)] = isHeldOut
            if found.isEmpty {
                set.unresolvedQuestions += 1
            } else {
                set.questions.append(
                    ResolvedQuestion(
                        id: question.id, question: question.question, rows: found.sorted(),
                        isHeldOut: isHeldOut))
            }
        }
        for preference in sorted(preferences, by: \.id) {
            let chosen = Array(rows(preference.chosen))
            let rejected = Array(rows(preference.rejected))
            if chosen.isEmpty || rejected.isEmpty || chosen == rejected {
                set.unresolvedPreferences += 1
                set.missing += [(preference.chosen, chosen), (preference.rejected, rejected)]
                    .filter(\.1.isEmpty)
                    .map { MissingLabel(.preference, id: preference.id, $0.0, isUsed: false) }
                if !chosen.isEmpty, chosen == rejected {
                    set.missing.append(
                        MissingLabel(
                            .preference, id: preference.id, preference.rejected, isUsed: false,
                            isChosenToo: true))
                }
                continue
            }
            set.preferences.append(
                ResolvedPreference(
                    id: preference.id, question: preference.question, chosen: chosen,
                    rejected: rejected,
                    isHeldOut: fates[Array(preference.question.utf8)]
                        ?? heldOut.contains(preference.id)))
        }
        return set
    }

    private static func sorted<Label>(
        _ labels: [Label], by id: KeyPath<Label, String>
    ) -> [Label] {
        labels.sorted { $0[keyPath: id].utf8.lexicographicallyPrecedes($1[keyPath: id].utf8) }
    }
}

/// A question with its candidates and their signals.
struct PreparedQuestion: Sendable {
    /// The rows, in the order of the signals.
    let rows: [Int]
    /// The unscaled signals.
    let signals: CandidateSignals
    /// The section of each row, in the order of the signals.
    let places: [RowPlace]
    /// The evidence on whether the candidates answer the question.
    let evidence: [Double]

    /// The indices of the candidates whose rows are in `wanted`.
    func positions(of wanted: [Int]) -> [Int] {
        let wanted = Set(wanted)
        return rows.indices.filter { wanted.contains(rows[$0]) }
    }
}

/// Finds candidates for questions and computes their signals, many questions at a time.
struct CandidatePool: Sendable {
    /// A question, and rows that become candidates even if retrieval misses them.
    struct Request: Sendable {
        let question: String
        let added: [Int]
    }

    let features: TrainingFeatures
    let ranker: Ranker
    let threads: Int

    /// Prepares questions; the result does not depend on the number of threads.
    func prepare(_ requests: [Request]) throws(TrainingError) -> [PreparedQuestion] {
        let queries = try wrapping(
            features.embedder.embed(requests.map(\.question), as: .query),
            as: TrainingError.embedding)
        let retrieval = HybridRetrieval(ranker, in: features.index, of: features.space)
        return try wrapping(as: TrainingError.objects) { () throws(ObjectError) in
            let nearest =
                ranker.retrieval.mode == .lexical
                ? requests.map { _ in [VectorMatch]() }
                : try features.index.vectors.nearest(
                    ranker.retrieval.candidates, to: queries, threads: threads)
            return try Threads.map(Array(requests.indices), threads: threads) {
                (index) throws(ObjectError) -> PreparedQuestion in
                let question = Question(requests[index].question, of: features.index.words)
                let found = try retrieval.candidates(
                    question, vector: queries[index], nearest: nearest[index],
                    adding: requests[index].added, threads: 1)
                let judged = try retrieval.judge(
                    question, found, in: features.source, threads: 1)
                return PreparedQuestion(
                    rows: found.map(\.row), signals: judged.signals,
                    places: judged.places, evidence: judged.evidence)
            }
        }
    }
}

/// Generates questions from the features, for documents without labels.
///
/// A question asks for a section by its heading or by the beginning of its first sentence, and omits the document's
/// title, as a reader would. Such questions are easier than those of people who have not read the section, so their
/// figures serve to compare versions, not to predict quality.
enum SectionQuestions {
    /// The maximum number of sections: more would slow training without improving it.
    static let limit = 500
    /// The fewest words of a usable question, without stop words; a shorter one asks for nothing in particular.
    private static let leastWords = 3
    /// The maximum number of words that a question takes from a sentence.
    private static let mostWords = 14

    static func make(
        index: FeatureIndex, keys: FeatureKeys, seed: Int, in source: some ObjectSource
    ) throws(ObjectError) -> [LabelledQuestion] {
        var questions: [LabelledQuestion] = []
        let rows = try index.rows(at: chosenRows(keys, seed: seed), in: source)
        for row in rows where !row.headings.isEmpty {
            let prefix = FeatureRow.keyPrefix(document: row.document, section: row.section)
            let isByHeading = TermHash.of(prefix, seed: UInt64(seed)) & 1 == 0
            let heading = "How does this work: \(row.headings.last ?? "")?"
            let sentence = firstSentence(of: row.text).map { "Where is it said that \($0)?" }
            let question = isByHeading ? heading : sentence ?? heading
            guard Question(question, of: index.words).wholeWords.count >= leastWords else {
                continue
            }
            questions.append(
                LabelledQuestion(
                    id: prefix, question: question,
                    answers: [SectionLabel(document: row.document, section: row.section)]))
        }
        return questions
    }

    /// The beginning of the first sentence, its first word in lower case unless a capital follows its first letter; nil
    /// without a suitable sentence.
    private static func firstSentence(of text: String) -> String? {
        let line = text.prefix { !$0.isNewline }
        guard let end = line.firstIndex(where: { ".!?".contains($0) }) else { return nil }
        let words = line[..<end].split(separator: " ")
        guard words.count >= 5, let first = words.first else { return nil }
        let rest = words.dropFirst().prefix(mostWords - 1)
        let isName = first.dropFirst().contains(where: \.isUppercase)
        return ([isName ? String(first) : first.lowercased()] + rest.map(String.init))
            .joined(separator: " ")
    }

    /// The first chunks of some sections, chosen by lowest hash.
    private static func chosenRows(_ keys: FeatureKeys, seed: Int) -> [Int] {
        var firsts: [(hash: UInt64, row: Int)] = []
        var last: [UInt8] = []
        for (row, key) in keys.all.enumerated() {
            let bytes = Array(key.utf8)
            guard let slash = bytes.lastIndex(of: 0x2F) else { continue }
            let prefix = Array(bytes[...slash])
            if prefix == last { continue }
            last = prefix
            firsts.append(
                (TermHash.of("\(seed)|\(String(decoding: prefix, as: UTF8.self))"), row))
        }
        firsts.sort { ($0.hash, $0.row) < ($1.hash, $1.row) }
        return firsts.prefix(limit).map(\.row).sorted()
    }
}

/// Decides which questions are held out from training.
///
/// The decision depends only on the question's id and the seed; other questions and their order do not matter.
public struct HeldOut: Sendable {
    private let part: Double
    private let seed: Int

    /// Holds out about the configured share of all questions.
    public init(_ split: TrainingConfiguration.Split) {
        part = split.heldOut
        seed = split.seed
    }

    /// Whether the question with this id is held out.
    public func contains(_ id: String) -> Bool {
        let hash = TermHash.of("\(seed)/\(id)")
        return Double(hash >> 11) * 0x1p-53 < part
    }
}
