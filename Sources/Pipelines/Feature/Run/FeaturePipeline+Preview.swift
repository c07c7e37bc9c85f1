internal import Artifacts
internal import Objects
internal import Refs
internal import Storage

extension FeaturePipeline {
    /// Predicts what ``run(message:rebuild:checks:progress:)`` would do, without writing objects, moving refs or
    /// calling a service.
    ///
    /// A service's space is known only after a request. If the configuration matches the space of the ref's rows, the
    /// preview assumes that space.
    ///
    /// - Throws: The errors of ``run(message:rebuild:checks:progress:)`` that need neither writing nor a service.
    public func preview(
        rebuild: Bool = false, checks: SourceChecks = SourceChecks(),
        progress: @escaping @Sendable (RunProgress) -> Void = { _ in }
    ) throws(FeatureError) -> RunReport {
        let start = ContinuousClock.now
        let transaction = try begin()
        let (baseline, listing) = try prepare(checks, in: transaction)
        let expected = try expectedSpace(baseline, in: transaction)
        let embedder = AbsentEmbedder(space: expected.space, tokens: expected.tokens)
        let space = embedder.space.id
        try checkSpace(embedder.space, baseline, rebuild: rebuild)
        let reading = try read(
            listing, baseline, space: space,
            EmbedStage(embedder: embedder, kept: nil, meter: RunMeter(progress)),
            in: transaction)
        try checks.check(reading, of: listing)
        let changes = reading.changes
        try check(changes, baseline, space: space)
        let seconds = ContinuousClock.now - start
        return RunReport(
            ref: configuration.ref, previous: baseline.snapshot, snapshot: baseline.snapshot,
            transaction: nil,
            isPreview: true, documents: changes.counts, chunks: changes.embedded + changes.reused,
            embedded: changes.embedded, recovered: 0, reused: changes.reused,
            rows: try rowCounts(changes, baseline, in: transaction), skipped: reading.skipped,
            notes: reading.notes,
            gaps: reading.gaps, leftOut: reading.leftOut, unmatched: reading.unmatched,
            bytesRead: reading.bytes, warnings: [], seconds: seconds.inSeconds)
    }
}

extension FeaturePipeline {
    /// Counts the rows that would change from the baseline.
    private func rowCounts(
        _ changes: Reconciliation, _ baseline: Baseline, in transaction: Transaction
    ) throws(FeatureError) -> RowChangeCounts {
        guard let old = baseline.tables else {
            var counts = RowChangeCounts()
            counts.added = changes.rowEdits.count
            return counts
        }
        return try wrapping(
            RowMoves(applying: changes.rowEdits, to: old.rows, in: transaction.objects).counts,
            as: FeatureError.objects)
    }
}

/// Takes the place of the run's embedder in a preview; its vectors are empty.
private struct AbsentEmbedder: Embedder {
    let space: EmbeddingSpace
    let tokens: (any TokenCounter)?

    func embed(_ text: String, as role: EmbeddingRole) throws(EmbeddingError) -> [Float] { [] }
}
