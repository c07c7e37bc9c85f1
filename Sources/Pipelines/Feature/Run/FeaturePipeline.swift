internal import Artifacts
internal import Objects
public import Refs
internal import Storage

/// The feature pipeline: turns documents into chunks with vectors, in one table and one transaction.
public struct FeaturePipeline: Sendable {
    /// The pipeline's name in snapshots.
    public static let name = "fti-feature"
    /// The pipeline's version in snapshots.
    public static let version = "0.1.0"
    /// The role of the embedder's model among the inputs of features.
    static let embedderInput = "embedder"

    let configuration: FeatureConfiguration
    let repository: Repository
    let writer: Writer
    let variable: @Sendable (String) -> String?
    let cache: String?

    /// Makes a pipeline.
    ///
    /// - Parameters:
    ///   - configuration: What to read, and how.
    ///   - repository: The repository to write to.
    ///   - writer: The author of the transaction.
    ///   - variable: Returns the value of an environment variable, such as a key; nil when it is not set.
    ///   - cache: The folder that keeps a service's vectors until a run commits them, so that an interrupted run loses
    ///     none; nil to keep none.
    public init(
        _ configuration: FeatureConfiguration, in repository: Repository, by writer: Writer,
        variable: @escaping @Sendable (String) -> String? = { _ in nil }, cache: String? = nil
    ) {
        self.configuration = configuration
        self.repository = repository
        self.writer = writer
        self.variable = variable
        self.cache = cache
    }

    /// Reads the sources and updates the ref to match them.
    ///
    /// Work is proportional to the changes: a document that neither changed nor moved is only read and hashed. If
    /// nothing changed, the run makes no transaction.
    ///
    /// - Parameters:
    ///   - message: The message of the snapshot; nil for a summary of the counts.
    ///   - rebuild: Whether the run may replace all rows when the embedding space changes.
    ///   - checks: Requirements on the sources.
    ///   - maxRequests: The most requests to a service for vectors of documents; nil for no limit.
    ///   - announce: Called once with what the run is about to embed, unless that is nothing.
    ///   - progress: Called from time to time, on any thread.
    /// - Throws: `sourceMissing`, `nothingMatches` or `unreadable` from the checks; `spaceDiffers` when the ref has rows in
    ///   another embedding space; `notFeatures`, `duplicateDocument`, `noDocuments`, `spaceChangesIncompletely`, `embedding`,
    ///   `objects`; `refs`, with a conflict when another writer moved the ref in the meantime. No ref moves then.
    public func run(
        message: String? = nil, rebuild: Bool = false, checks: SourceChecks = SourceChecks(),
        maxRequests: Int? = nil,
        announce: @escaping (EmbeddingPlan) -> Void = { _ in },
        progress: @escaping @Sendable (RunProgress) -> Void = { _ in }
    ) throws(FeatureError) -> RunReport {
        let transaction = try begin()
        let state = transaction.state
        // The run also reads the embedding spaces of other features.
        let names = state.refs.keys.filter { $0.namespace == .features } + [configuration.ref]
        return try repository.reportingConflicts(on: names, in: state) {
            () throws(FeatureError) in
            try run(
                transaction, message: message, rebuild: rebuild, checks: checks
            ) { embedder, kept in
                EmbedStage(
                    embedder: embedder, kept: kept, meter: RunMeter(progress), announce: announce,
                    maxRequests: maxRequests)
            }
        }
    }

    /// Begins the transaction of a run.
    func begin() throws(FeatureError) -> Transaction {
        let ref = configuration.ref
        guard ref.namespace == .features else { throw .notFeatures(ref) }
        return try wrapping(repository.begin(writer: writer, moving: [ref]), as: FeatureError.refs)
    }

    /// Reads the ref's snapshot and its cursor, lists the sources, and checks that the listing meets `checks`.
    func prepare(
        _ checks: SourceChecks, in transaction: Transaction
    ) throws(FeatureError) -> (baseline: Baseline, listing: SourceListing) {
        let ref = configuration.ref
        let baseline = try wrapping(Baseline.read(ref, in: transaction), as: FeatureError.objects)
        let listing = SourceListing.list(configuration.sources)
        try checks.check(listing, baseline, of: ref)
        return (baseline, listing)
    }

    /// Checks that the ref's rows are in the run's embedding space, unless the run may rebuild them.
    ///
    /// - Throws: `spaceDiffers`.
    func checkSpace(
        _ space: EmbeddingSpace, _ baseline: Baseline, rebuild: Bool
    ) throws(FeatureError) {
        guard baseline.snapshot != nil, baseline.space != space.id, !rebuild else { return }
        throw .spaceDiffers(
            configuration.ref, found: baseline.space, needed: space.id,
            differences: baseline.description?.differences(from: space) ?? [])
    }

    private func run(
        _ transaction: Transaction, message: String?, rebuild: Bool, checks: SourceChecks,
        stage makeStage: (any Embedder, KeptVectors?) -> EmbedStage
    ) throws(FeatureError) -> RunReport {
        let start = ContinuousClock.now
        let ref = configuration.ref
        let (baseline, listing) = try prepare(checks, in: transaction)
        let left = keptVectors(in: transaction)
        let chosen = try embedder(baseline, left?.space, in: transaction)
        let embedder = chosen.embedder
        let space = embedder.space.id
        try checkSpace(embedder.space, baseline, rebuild: rebuild)
        _ = try wrapping(embedder.space.write(to: transaction.objects), as: FeatureError.objects)
        let kept = left?.of(embedder.space)
        let stage = makeStage(embedder, kept)
        let reading = try read(listing, baseline, space: space, stage, in: transaction)
        try checks.check(reading, of: listing)
        let changes = reading.changes
        let tables = try tables(changes, baseline, embedder.space, in: transaction)
        let rowCounts = try rowCounts(from: baseline.tables, to: tables, in: transaction)
        let index = try wrapping(as: FeatureError.objects) { () throws(ObjectError) in
            try LexicalTree.write(
                tables.rows, succeeding: baseline.lexicalPredecessor, in: transaction.objects)
        }
        let new = snapshot(
            tables, index, changes, space: space, model: chosen.model, message: message)
        let (id, commit) = try wrapping(as: FeatureError.refs) { () throws(RefError) in
            // If the rows are unchanged, new params and counts alone do not make a new version.
            let version = try transaction.store(
                NextVersion(of: ref, new, incidental: [.message, .metrics, .params, .inputs]))
            return (version.id, try transaction.publish([version], message: new.message))
        }
        kept?.remove()
        let seconds = ContinuousClock.now - start
        return RunReport(
            ref: ref, previous: baseline.snapshot, snapshot: id, transaction: commit.number,
            isPreview: false,
            documents: changes.counts, chunks: tables.rows.rows, embedded: changes.embedded,
            recovered: stage.meter.value.recovered, reused: changes.reused, rows: rowCounts,
            skipped: reading.skipped,
            notes: reading.notes, gaps: reading.gaps, leftOut: reading.leftOut,
            unmatched: reading.unmatched, bytesRead: reading.bytes,
            warnings: commit.warnings,
            seconds: seconds.inSeconds)
    }

    /// Reads and processes the listed files.
    ///
    /// - Throws: `noDocuments` when there are none and the ref does not exist yet; `objects`, `embedding`,
    ///   `duplicateDocument`.
    func read(
        _ listing: SourceListing, _ baseline: Baseline, space: ObjectID, _ stage: EmbedStage,
        in transaction: Transaction
    ) throws(FeatureError) -> CorpusScan {
        let measure: TextMeasure =
            if configuration.chunkUnit == .tokens, let tokens = stage.embedder.tokens {
                .tokens(tokens)
            } else { .characters }
        let work = DocumentWork(
            splitter: RecursiveSplitter(
                size: configuration.chunkSize, overlap: configuration.chunkOverlap,
                measure: measure),
            space: space, baseline: baseline,
            sources: configuration.sources.map { SourceRules($0) })
        let past = PastVectors(of: configuration.ref, in: repository, transaction, space: space)
        let reading = try CorpusScan.run(
            listing, of: configuration.sources, baseline, work, stage, past: past)
        if reading.changes.counts.total == 0, baseline.snapshot == nil {
            let passedOver = reading.skipped.first.map { "\($0.path) \($0.reason)" }
            throw .noDocuments(
                reason: reading.gaps.first?.reason ?? passedOver ?? "the files contain none")
        }
        return reading
    }

    /// Checks that no row of another space has to stay.
    ///
    /// - Throws: `spaceChangesIncompletely`.
    func check(
        _ changes: Reconciliation, _ baseline: Baseline, space: ObjectID
    ) throws(FeatureError) {
        guard baseline.space != space, baseline.tables != nil, let document = changes.kept.first
        else { return }
        throw .spaceChangesIncompletely(document: document)
    }

    /// Applies the changes to the tables of the baseline, or builds new tables.
    private func tables(
        _ changes: Reconciliation, _ baseline: Baseline, _ space: EmbeddingSpace,
        in transaction: Transaction
    ) throws(FeatureError) -> FeatureTables {
        let isComparable = baseline.space == space.id
        try check(changes, baseline, space: space.id)
        return try wrapping(as: FeatureError.objects) { () throws(ObjectError) in
            let objects = transaction.objects
            if let old = baseline.tables, isComparable {
                return FeatureTables(
                    rows: try old.rows.applying(changes.rowEdits, in: objects),
                    cursor: try old.cursor.applying(changes.cursorEdits, in: objects))
            }
            return FeatureTables(
                rows: try Table.build(
                    rows: changes.rowEdits.compactMap(\.newRow),
                    dimension: space.dimension, in: objects),
                cursor: try Table.build(
                    rows: changes.cursorEdits.compactMap(\.newRow), dimension: 0, in: objects))
        }
    }

    /// Counts the rows that differ from the baseline.
    private func rowCounts(
        from old: FeatureTables?, to new: FeatureTables, in transaction: Transaction
    ) throws(FeatureError) -> RowChangeCounts {
        guard let old else {
            var counts = RowChangeCounts()
            counts.added = new.rows.rows
            return counts
        }
        return try wrapping(
            RowMoves(from: old.rows, to: new.rows, in: transaction.objects).counts,
            as: FeatureError.objects)
    }

    private func snapshot(
        _ tables: FeatureTables, _ index: Content, _ changes: Reconciliation, space: ObjectID,
        model: ObjectID?, message: String?
    ) -> Snapshot {
        Snapshot(
            kind: .features,
            content: .table(tables.rows),
            inputs: model.map { [Self.embedderInput: $0] } ?? [:],
            producer: .init(pipeline: Self.name, version: Self.version),
            params: configuration.params,
            metrics: [
                "documents": Double(changes.counts.total), "chunks": Double(tables.rows.rows),
                "embedded": Double(changes.embedded),
            ], space: space,
            cursor: .table(tables.cursor),
            index: index,
            created: writer.now(),
            message: message.map { Secrets.withoutCredentials($0) } ?? summary(tables, changes))
    }

    private func summary(_ tables: FeatureTables, _ changes: Reconciliation) -> String {
        let counts = changes.counts
        let fates = [
            (counts.added, "added"), (counts.changed, "changed"), (counts.moved, "moved"),
            (counts.removed, "removed"),
        ].filter { $0.0 > 0 }.map { "\(Self.grouped($0.0)) \($0.1)" }
        return "\(Self.grouped(tables.rows.rows)) chunk\(tables.rows.rows == 1 ? "" : "s") of "
            + "\(Self.grouped(counts.total)) document\(counts.total == 1 ? "" : "s")"
            + (fates.isEmpty ? "" : "; " + fates.joined(separator: ", "))
    }

    private static func grouped(_ value: Int) -> String {
        let digits = Array(String(value))
        var result = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { result.append(",") }
            result.append(digit)
        }
        return result
    }
}

/// The two tables of a features snapshot.
struct FeatureTables: Equatable, Sendable {
    /// The chunks.
    let rows: Table
    /// The documents that they were made from.
    let cursor: Table
}

extension TableEdit {
    /// The row that the edit puts; nil for a removal.
    fileprivate var newRow: TableRow? {
        if case .put(let row) = self { row } else { nil }
    }
}

extension Duration {
    /// The duration in seconds, truncated to milliseconds.
    var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds / 1_000_000_000_000_000) / 1000
    }
}
