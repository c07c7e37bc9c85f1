public import Artifacts

public import Objects
public import Refs
internal import Storage

/// A run of the training pipeline: build, train, evaluate, publish.
public struct TrainingRun: Sendable {
    /// The pipeline's name in snapshots.
    public static let pipeline = "fti-training"

    private let repository: Repository
    private let configuration: TrainingConfiguration
    private let writer: Writer
    private let version: String
    private let threads: Int
    private let embedders: EmbedderRegistry
    private let verified: VerifiedLeaves?
    private let segments: SegmentCache
    private let progress: @Sendable (String) -> Void

    /// Prepares a run.
    ///
    /// - Parameters:
    ///   - version: The program's version, for the producer of the snapshots.
    ///   - threads: The number of threads; the result does not depend on it.
    ///   - embedders: Opens the embedder of the features' space.
    ///   - verified: The record of leaves that were already verified; nil to verify all.
    ///   - segments: The cache of lexical segments for features without an index.
    ///   - progress: Receives the name of each stage as it begins.
    public init(
        repository: Repository, configuration: TrainingConfiguration, writer: Writer,
        version: String, threads: Int, embedders: EmbedderRegistry = EmbedderRegistry(),
        verified: VerifiedLeaves? = nil, segments: SegmentCache = SegmentCache(),
        progress: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.repository = repository
        self.configuration = configuration
        self.writer = writer
        self.version = version
        self.threads = threads
        self.embedders = embedders
        self.verified = verified
        self.segments = segments
        self.progress = progress
    }

    /// Trains on the configured features, in the newest state of the repository.
    ///
    /// Publishes the datasets and the model in one transaction; a failed run changes nothing.
    public func run() throws(TrainingError) -> TrainingReport {
        let created = writer.now()
        let state = try wrapping(repository.state(), as: TrainingError.refs)
        let transaction = try wrapping(as: TrainingError.refs) { () throws(RefError) in
            try repository.begin(
                on: state, writer: writer,
                moving: [
                    try RefName(configuration.supervisedDataset),
                    try RefName(configuration.preferenceDataset), try RefName(configuration.model),
                ])
        }
        var names = [
            configuration.supervisedDataset, configuration.preferenceDataset, configuration.model,
        ].compactMap { try? RefName($0) }
        for revision in [configuration.features, configuration.feedback].compactMap(\.self) {
            if case .ref(let name)? = (try? Revision(revision))?.base { names.append(name) }
        }
        return try repository.reportingConflicts(on: names, in: state) {
            () throws(TrainingError) in
            try run(transaction, state, created: created)
        }
    }

    private func run(
        _ transaction: Transaction, _ state: State, created: Timestamp
    ) throws(TrainingError) -> TrainingReport {
        let (id, feedbackID) = try wrapping(as: TrainingError.refs) { () throws(RefError) in
            let resolver = Resolver(repository, state: state, now: created)
            return (
                try resolver.snapshot(try Revision(configuration.features)),
                try configuration.feedback.map { (revision) throws(RefError) in
                    try resolver.snapshot(try Revision(revision))
                }
            )
        }
        progress("reading \(configuration.features)")
        let features = try TrainingFeatures.open(
            id, name: configuration.features, in: transaction.objects, embedders: embedders,
            verified: verified, segments: segments)
        progress("building datasets")
        var set = try build(features)
        if let feedbackID, let name = configuration.feedback {
            let rows = try FeedbackRows.read(feedbackID, name: name, in: transaction.objects)
            set.add(rows, keys: features.keys, heldOut: HeldOut(configuration.split))
        }
        progress("training on \(set.questionCounts.training) questions")
        let trainer = RankerTrainer(
            features: features, configuration: configuration, threads: threads)
        let outcome = try trainer.train(set)
        progress("publishing")
        let publication = Publication(
            transaction: transaction, configuration: configuration,
            producer: Snapshot.Producer(pipeline: Self.pipeline, version: version),
            created: created)
        return TrainingReport(
            outcome, try publication.publish(outcome), recallDepth: configuration.recallDepth)
    }

    private func build(_ features: TrainingFeatures) throws(TrainingError) -> TrainingSet {
        var questions: [LabelledQuestion] = []
        if let path = configuration.questions {
            questions = try LabelFile.questions(try LabelFile.read(path), path: path)
        } else {
            questions = try wrapping(as: TrainingError.objects) { () throws(ObjectError) in
                try SectionQuestions.make(
                    index: features.index, keys: features.keys, seed: configuration.split.seed,
                    in: features.source)
            }
        }
        var preferences: [LabelledPreference] = []
        if let path = configuration.preferences {
            preferences = try LabelFile.preferences(try LabelFile.read(path), path: path)
        }
        return TrainingSet.build(
            questions: questions, preferences: preferences, keys: features.keys,
            heldOut: HeldOut(configuration.split))
    }
}
