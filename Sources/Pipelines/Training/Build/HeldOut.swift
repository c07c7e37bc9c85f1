internal import Artifacts
internal import TextAnalysis

/// Decides which labels are held out where the same question may have several: all of them, or none.
struct SplitFates: Sendable {
    private var fates: [String: Bool] = [:]
    private let heldOut: HeldOut

    init(_ heldOut: HeldOut) { self.heldOut = heldOut }

    /// Records the split of a question; the first one of a question counts.
    mutating func record(_ question: String, isHeldOut: Bool) {
        let text = MatchedText.of(question)
        if fates[text] == nil { fates[text] = isHeldOut }
    }

    /// Whether a label is held out: as its question is; otherwise its id decides, for the question as well.
    mutating func isHeldOut(_ question: String, id: String) -> Bool {
        let text = MatchedText.of(question)
        if let known = fates[text] { return known }
        let isHeldOut = heldOut.contains(id)
        fates[text] = isHeldOut
        return isHeldOut
    }
}

extension FeatureKeys {
    /// The rows of a labelled section, however its path is spelled.
    func rows(_ label: SectionLabel) -> Range<Int> {
        let rows = rows(document: label.document, section: label.section)
        guard rows.isEmpty, let otherwise = label.otherwise else { return rows }
        return self.rows(document: otherwise, section: label.section)
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
