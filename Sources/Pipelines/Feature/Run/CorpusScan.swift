internal import Artifacts
internal import Documents
internal import Objects
internal import Storage

/// The documents of all sources, processed and compared with the baseline.
struct CorpusScan {
    /// The resulting changes.
    let changes: Reconciliation
    /// Lines that were read but are no documents.
    let notes: [Remark]
    /// The files and records that were skipped.
    let skipped: [Remark]
    /// Places where documents may have been missed.
    let gaps: [Remark]
    /// Counts of files below the sources that are not documents, by reason.
    let leftOut: [Remark]
    /// Patterns that match nothing, and sources without a file.
    let unmatched: [Remark]
    /// The number of bytes read.
    let bytes: Int

    /// Processes all listed documents, wave by wave, then all feedback, and at last embeds the new texts of both at once:
    /// their number is known before the first one costs anything.
    static func run(
        _ listing: SourceListing, of sources: [DocumentSource], _ baseline: Baseline,
        _ work: DocumentWork, _ stage: EmbedStage, past: PastVectors
    ) throws(FeatureError) -> CorpusScan {
        var reader = DocumentReader(listing.files)
        var changes = Reconciliation(baseline)
        var past = past
        var outcomes: [(path: String, outcome: DocumentWork.Outcome)] = []
        let files = listing.files.count + listing.feedback.count
        while true {
            let wave = reader.nextWave()
            if wave.isEmpty { break }
            let documents = try wrapping(as: FeatureError.objects) { () throws(ObjectError) in
                try Threads.map(wave, threads: Threads.available) {
                    (document) throws(ObjectError) in try work.process(document)
                }
            }
            stage.meter.read(reader.filesDone, of: files)
            outcomes += documents
        }
        let feedback = try wrapping(as: FeatureError.objects) { () throws(ObjectError) in
            try FeedbackLines.read(listing.feedback, of: sources)
        }
        stage.meter.read(files, of: files)
        let feedbackWork = FeedbackWork(work, of: sources)
        var feedbackReader = FeedbackReader(feedback, work)
        while true {
            let wave = feedbackReader.nextWave()
            if wave.isEmpty { break }
            let documents = try wrapping(as: FeatureError.objects) { () throws(ObjectError) in
                try Threads.map(wave, threads: Threads.available) {
                    (line) throws(ObjectError) in try feedbackWork.process(line)
                }
            }
            outcomes += documents
        }
        try changes.check(outcomes)
        try changes.add(outcomes, stage, past: &past)
        let skipped =
            listing.skipped + reader.skipped + feedback.skipped + feedbackReader.skipped
            + changes.skipped
        try wrapping(as: FeatureError.objects) { () throws(ObjectError) in
            for path in feedback.replaced { try changes.remove(path) }
            // Skipped documents exist, so their rows stay.
            try changes.finish(gaps: listing.gaps + skipped)
        }
        return CorpusScan(
            changes: changes, notes: changes.notes + feedback.notes, skipped: skipped,
            gaps: listing.gaps, leftOut: listing.leftOut, unmatched: listing.unmatched,
            bytes: reader.bytes + feedback.bytes)
    }
}

extension Reconciliation {
    /// Embeds processed documents and adds them.
    fileprivate mutating func add(
        _ documents: [(path: String, outcome: DocumentWork.Outcome)], _ stage: EmbedStage,
        past: inout PastVectors
    ) throws(FeatureError) {
        let embedded = try stage.run(documents, past: &past)
        for document in embedded { add(document) }
    }
}
