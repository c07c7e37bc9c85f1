internal import Artifacts
internal import Objects

/// All documents of the sources, worked on and compared with the baseline.
struct CorpusScan {
    /// What follows from them.
    let changes: Reconciliation
    /// What was passed over.
    let skipped: [Remark]
    /// Where documents may have been missed.
    let gaps: [Remark]
    /// How much below the sources is no document, and why.
    let leftOut: [Remark]
    /// Patterns that fit nothing, and sources without a file.
    let unmatched: [Remark]
    /// The bytes that were read.
    let bytes: Int

    init(
        _ listing: SourceListing, _ baseline: Baseline, _ work: DocumentWork, _ stage: EmbedStage,
        past: PastVectors
    ) throws(FeatureError) {
        var reader = DocumentReader(listing.files)
        var changes = Reconciliation(baseline)
        var past = past
        while true {
            let wave = reader.nextWave()
            if wave.isEmpty { break }
            var documents: [(path: String, outcome: DocumentWork.Outcome)] = []
            for result in Threads.map(wave.count, { work.run(wave[$0]) }) {
                switch result {
                case .success(let document): documents.append(document)
                case .failure(let error): throw .objects(error)
                }
            }
            stage.meter.read(reader.filesDone, of: listing.files.count)
            let embedded: [EmbedStage.Embedded]
            do throws(EmbeddingError) { embedded = try stage.run(documents, past: &past) } catch {
                throw .embedding(error)
            }
            for document in embedded { try changes.add(document) }
        }
        let skipped = listing.skipped + reader.skipped + changes.skipped
        do throws(ObjectError) {
            // What was passed over was there, so nothing of it is gone.
            try changes.finish(gaps: listing.gaps + skipped)
        } catch { throw .objects(error) }
        self.changes = changes
        leftOut = listing.leftOut
        unmatched = listing.unmatched
        self.skipped = skipped
        gaps = listing.gaps
        bytes = reader.bytes
    }
}
