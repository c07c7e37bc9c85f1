internal import Artifacts
internal import Refs

/// What a run insists on before it reads its sources.
public struct SourceChecks: Hashable, Sendable {
    /// Whether every source has to have a file, and every pattern one that it fits.
    public var isStrict = false
    /// Whether a source may be missing of which the ref has rows: they stay.
    public var allowsMissing = false

    /// Makes checks.
    public init(isStrict: Bool = false, allowsMissing: Bool = false) {
        self.isStrict = isStrict
        self.allowsMissing = allowsMissing
    }

    /// Refuses a listing.
    ///
    /// - Throws: `sourceMissing`, `nothingMatches`.
    func check(
        _ listing: SourceListing, _ baseline: Baseline, of ref: RefName
    ) throws(FeatureError) {
        if !allowsMissing, let source = listing.missing.first(where: { hasRows($0, baseline) }) {
            throw .sourceMissing(location: source.location, ref)
        }
        let missing = allowsMissing ? listing.missing.map { $0.path(of: "") } : []
        let unmatched = listing.unmatched.filter { !missing.contains($0.path) }
        guard !isStrict || unmatched.isEmpty else {
            throw .nothingMatches(reasons: unmatched.map(\.sentence))
        }
    }

    /// Whether the ref has documents of a source.
    private func hasRows(_ source: DocumentSource, _ baseline: Baseline) -> Bool {
        guard !source.prefix.isEmpty else { return !baseline.documents.isEmpty }
        let folder = Array((DocumentPath.encode(source.prefix) ?? source.prefix).utf8) + [0x2F]
        return baseline.documents.keys.contains { $0.starts(with: folder) }
    }
}
