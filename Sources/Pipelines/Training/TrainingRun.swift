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
    private let generation: Generation?
    private let progress: @Sendable (String) -> Void

    /// What a run needs to ask a language model for examples.
    public struct Generation: Sendable {
        /// The language model.
        public var model: ExampleModel
        /// The path, without ending, of the private file that keeps replies until they are committed; nil to keep none.
        public var keptReplies: String?

        /// Names the parts.
        public init(by model: ExampleModel, keeping keptReplies: String? = nil) {
            self.model = model
            self.keptReplies = keptReplies
        }
    }

    /// Prepares a run.
    ///
    /// - Parameters:
    ///   - version: The program's version, for the producer of the snapshots.
    ///   - threads: The number of threads; the result does not depend on it.
    ///   - embedders: Opens the embedder of the features' space.
    ///   - verified: The record of leaves that were already verified; nil to verify all.
    ///   - segments: The cache of lexical segments for features without an index.
    ///   - generation: The language model that makes examples; needed if the configuration asks one.
    ///   - progress: Receives the name of each stage as it begins.
    public init(
        repository: Repository, configuration: TrainingConfiguration, writer: Writer,
        version: String, threads: Int, embedders: EmbedderRegistry = EmbedderRegistry(),
        verified: VerifiedLeaves? = nil, segments: SegmentCache = SegmentCache(),
        generation: Generation? = nil,
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
        self.generation = generation
        self.progress = progress
    }

    /// Trains on the configured features, in the newest state of the repository.
    ///
    /// Publishes the datasets and the model in one transaction; a failed run changes nothing, but keeps the replies of a
    /// language model that makes examples.
    ///
    /// - Parameter announce: Receives, before any request is sent to a language model, how many there are.
    public func run(
        announcing announce: (String) -> Void = { _ in }
    ) throws(TrainingError) -> TrainingReport {
        let created = writer.now()
        let prompt = try configuration.prompt.map { (path) throws(TrainingError) in
            try Self.prompt(reading: path)
        }
        let labels = try Labels(reading: configuration)
        let (features, generated) = try generate(labels, at: created, announce)
        if let generated, generated.all.isEmpty, labels.questions.isEmpty,
            labels.preferences.isEmpty, configuration.feedback == nil
        {
            throw .noExamples(generated.report)
        }
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
            let features =
                if let features { features } else {
                    try open(configuration.features, in: transaction, at: created)
                }
            progress("building datasets")
            var set = try build(labels, generated, features)
            if let name = configuration.feedback {
                let id = try resolve(name, in: state, at: created)
                let rows = try FeedbackRows.read(id, name: name, in: transaction.objects)
                set.add(rows, keys: features.keys, heldOut: HeldOut(configuration.split))
            }
            let overlap = set.overlap()
            guard overlap.exact.isEmpty else { throw .overlap(overlap) }
            progress("training on \(set.questionCounts.training) questions")
            let trainer = RankerTrainer(
                features: features, configuration: configuration, threads: threads)
            let outcome = try trainer.train(set)
            progress("publishing")
            let publication = Publication(
                transaction: transaction, configuration: configuration, producer: producer,
                created: created,
                prompt: prompt.map {
                    ServedPrompt(
                        prompt: $0, features: features, retrieval: configuration.retrieval,
                        threads: threads)
                })
            return TrainingReport(
                outcome, try publication.publish(outcome), overlap: overlap,
                recallDepth: configuration.recallDepth)
        }
    }

    private var producer: Snapshot.Producer {
        Snapshot.Producer(pipeline: Self.pipeline, version: version)
    }

    private static func prompt(reading path: String) throws(TrainingError) -> Prompt {
        let bytes = try wrapping(
            LocalFile.read(path, limit: Prompt.byteLimit), as: TrainingError.storage)
        do throws(JSONSchemaError) { return try Prompt(decoding: bytes) } catch {
            throw .prompt(path: path, reason: "\(error.path) \(error.reason)")
        }
    }

    private func resolve(
        _ revision: String, in state: State, at moment: Timestamp
    ) throws(TrainingError) -> ObjectID {
        try wrapping(as: TrainingError.refs) { () throws(RefError) in
            try Resolver(repository, state: state, now: moment).snapshot(try Revision(revision))
        }
    }

    private func open(
        _ revision: String, in transaction: Transaction, at moment: Timestamp
    ) throws(TrainingError) -> TrainingFeatures {
        progress("reading \(revision)")
        return try TrainingFeatures.open(
            try resolve(revision, in: transaction.state, at: moment), name: revision,
            in: transaction.objects, embedders: embedders, verified: verified, segments: segments)
    }

    /// The files of labels.
    private struct Labels {
        var questions: [LabelledQuestion] = []
        var evaluation: [LabelledQuestion] = []
        var preferences: [LabelledPreference] = []

        init(reading configuration: TrainingConfiguration) throws(TrainingError) {
            if let path = configuration.questions {
                questions = try LabelFile.questions(try LabelFile.read(path), path: path)
            }
            if let path = configuration.evaluationQuestions {
                evaluation = try LabelFile.questions(try LabelFile.read(path), path: path)
            }
            if let path = configuration.preferences {
                preferences = try LabelFile.preferences(try LabelFile.read(path), path: path)
            }
        }
    }

    /// Lets a language model make examples, if the configuration says so, and returns the features that it saw.
    private func generate(
        _ labels: Labels, at created: Timestamp, _ announce: (String) -> Void
    ) throws(TrainingError) -> (TrainingFeatures?, GeneratedExamples?) {
        guard let settings = configuration.generate else { return (nil, nil) }
        guard let generation else {
            throw .configuration(
                path: "generate", line: nil, reason: "no language model was given to the run")
        }
        let name = try wrapping(
            RefName(configuration.generatedDataset), as: TrainingError.refs)
        let instructions = try settings.prompt.map { (path) throws(TrainingError) in
            let bytes = try wrapping(
                LocalFile.read(path, limit: GenerationRequest.instructionLimit),
                as: TrainingError.storage)
            return String(decoding: bytes, as: UTF8.self)
        }
        let transaction = try wrapping(
            repository.begin(writer: writer, moving: [name]), as: TrainingError.refs)
        let features = try open(configuration.features, in: transaction, at: created)
        var params = settings.params.object ?? JSONObject()
        params["url"] = .string(generation.model.address)
        let generator = ExampleGenerator(
            features: features, settings: settings, model: generation.model,
            instructions: GenerationRequest.instructions(
                instructions, questions: settings.questions),
            cache: ReplyCache(
                repository, name, writer: writer, producer: producer, params: params),
            kept: generation.keptReplies.flatMap { KeptReplies.open($0, now: created) },
            now: writer.now, progress: progress)
        let questions = labels.questions + labels.evaluation
        return (
            features,
            try generator.run(
                excluding: questions.map(\.question) + labels.preferences.map(\.question),
                announcing: announce)
        )
    }

    private func build(
        _ labels: Labels, _ generated: GeneratedExamples?, _ features: TrainingFeatures
    ) throws(TrainingError) -> TrainingSet {
        var labels = labels
        var split = configuration.split
        if configuration.questions == nil {
            // What people label measures; what programs generate then only trains.
            if configuration.measuresLabels { split.heldOut = 0 }
            if configuration.generate == nil {
                labels.questions = try wrapping(as: TrainingError.objects) {
                    () throws(ObjectError) in
                    try SectionQuestions.make(
                        index: features.index, keys: features.keys, seed: configuration.split.seed,
                        in: features.source)
                }
            }
        }
        var set = TrainingSet.build(
            questions: labels.questions, evaluation: labels.evaluation,
            preferences: labels.preferences, keys: features.keys, heldOut: HeldOut(split),
            sharingFates: configuration.questions == nil)
        if let generated {
            set.add(
                generated, heldOut: configuration.measuresLabels ? nil : HeldOut(split),
                teachesRanker: configuration.questions == nil)
        }
        return set
    }
}
