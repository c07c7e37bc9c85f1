internal import Objects
public import Refs
internal import Storage

/// A run of the user's own trainer: extract its inputs, execute its command, publish what it leaves.
public struct TrainerRun: Sendable {
    /// What a run takes from the process that it is part of.
    public struct Surroundings: Sendable {
        /// The environment, of which the trainer gets only an allow-list.
        public var environment: [String: String]
        /// The path of the repository, to hide it from a sandbox; nil if it is not in the file system.
        public var repository: String?
        /// Where logs of failed runs are kept; nil to keep none.
        public var logs: String?
        /// Whether signals that ask this process to end go to the trainer while it runs.
        public var passesInterrupts: Bool
        /// How long a trainer that was told to end may take to do so, before it is killed.
        public var grace = Duration.seconds(10)

        /// Describes surroundings.
        public init(
            environment: [String: String], repository: String? = nil, logs: String? = nil,
            passesInterrupts: Bool = false
        ) {
            self.environment = environment
            self.repository = repository
            self.logs = logs
            self.passesInterrupts = passesInterrupts
        }

        /// Where scratch folders are created: `$TMPDIR`, else `/var/tmp`, because models may be larger than memory.
        var scratch: String {
            let named = environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 }
            return named ?? (FilePlace.isFolder("/var/tmp") ? "/var/tmp" : "/tmp")
        }
    }

    private let repository: Repository
    private let configuration: TrainerConfiguration
    private let writer: Writer
    private let version: String
    private let isResumed: Bool
    private let surroundings: Surroundings
    private let progress: @Sendable (String) -> Void

    /// Prepares a run.
    ///
    /// - Parameters:
    ///   - version: The program's version, for the producer of the snapshots.
    ///   - isResumed: Whether to go on from the published checkpoint.
    ///   - progress: Receives what the run is doing, often.
    public init(
        repository: Repository, configuration: TrainerConfiguration, writer: Writer,
        version: String, isResumed: Bool = false, surroundings: Surroundings,
        progress: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.repository = repository
        self.configuration = configuration
        self.writer = writer
        self.version = version
        self.isResumed = isResumed
        self.surroundings = surroundings
        self.progress = progress
    }

    /// Runs the trainer on the configured inputs, in the newest state of the repository.
    ///
    /// Publishes the model, and the adapter if there is one, in one transaction. A run that fails moves no ref but that
    /// for checkpoints.
    ///
    /// - Throws: `trainer` if the trainer fails or leaves something that cannot be stored.
    public func run() throws(TrainingError) -> TrainerReport {
        if let name = Secrets.find(in: .object(configuration.identity)) {
            throw .secretParameter("a likely secret key, \(name)...")
        }
        let published = JSON.object(configuration.identity).canonicalText
        guard Secrets.withoutCredentials(published).utf8.elementsEqual(published.utf8) else {
            throw .secretParameter("the user name or password of a URL")
        }
        var environment = try TrainerEnvironment(
            selecting: configuration.environment, from: surroundings.environment)
        let state = try wrapping(repository.state(), as: TrainingError.refs)
        // A writer without the rights fails before the training, not after it.
        _ = try wrapping(
            repository.begin(on: state, writer: writer, moving: configuration.refs),
            as: TrainingError.refs)
        let resolver = Resolver(repository, state: state, now: writer.now())
        let inputs = try TrainerInputs(configuration, in: resolver)
        let start =
            try isResumed
            ? TrainerCheckpoint.Start(configuration, inputs, in: resolver) : nil
        // Refs may move during a long training; a collection must not take the inputs of the model.
        let lease = HeldLease(
            in: repository, purpose: "training \(configuration.model)", seconds: 3600)
        defer { lease.release() }
        try wrapping(
            lease.hold(inputs.roles.values.sorted() + [start?.id].compactMap(\.self)),
            as: TrainingError.refs)
        let objects = try wrapping(resolver.objects(), as: TrainingError.refs)
        progress("comparing the inputs")
        let cautions = try inputs.check(in: objects)
        let folders = try TrainerFolders(
            inputs, configuration, in: surroundings.scratch, objects: objects, progress: progress)
        if let start {
            try TrainerFolders.write(start.tree, of: objects, to: folders.checkpoints)
        }
        environment.own = folders.variables(configuration, isResumed: start != nil)
        var command = try TrainerCommand(configuration, environment)
        if configuration.sandbox {
            command.sandbox = try TrainerSandbox(
                for: command, folders, home: surroundings.environment["HOME"],
                repository: surroundings.repository)
        }
        return try run(command, folders, inputs, start, cautions)
    }

    private func run(
        _ command: TrainerCommand, _ folders: TrainerFolders, _ inputs: TrainerInputs,
        _ start: TrainerCheckpoint.Start?, _ cautions: [String]
    ) throws(TrainingError) -> TrainerReport {
        progress("examining the machine")
        let record = RunRecord(command)
        let started = writer.now()
        var execution = try TrainerExecution(
            command, configuration, metrics: folders.metrics, grace: surroundings.grace,
            passesInterrupts: surroundings.passesInterrupts, progress: progress)
        let publication = TrainerPublication(
            repository: repository, configuration: configuration, writer: writer,
            producer: Snapshot.Producer(pipeline: TrainingRun.pipeline, version: version),
            inputs: inputs, created: writer.now())
        var output: TrainerOutput?
        var advice: String?
        if execution.end.isSuccess {
            do throws(TrainerOutput.Problem) {
                output = try TrainerOutput(folders.output, configuration)
            } catch {
                execution.end = .unusable(error.reason)
                advice = error.remedy
            }
        }
        guard let output else {
            throw .trainer(fail(execution, execution.end.text, advice, folders, publication))
        }
        progress("publishing")
        let run = record.json(
            configuration, command, inputs, execution, resumed: start, started: started,
            ended: writer.now())
        do throws(TrainingError) {
            let versions = try publication.publish(
                output,
                [
                    ("run.json", run.canonicalBytes + [0x0A]),
                    ("metrics.jsonl", execution.metrics.keptLines),
                    ("log.txt", execution.log.kept),
                ],
                metrics: execution.metrics.values, message: message(execution))
            return report(
                versions, execution, record, command, inputs, resumed: start?.id, cautions)
        } catch {
            // Such as gates that refuse the model: the work of the trainer must not be lost with it.
            _ = fail(execution, "is done, but was not published", nil, folders, publication)
            throw error
        }
    }

    /// Keeps the log and the last checkpoint of a run that failed.
    private func fail(
        _ execution: TrainerExecution, _ reason: String, _ advice: String?,
        _ folders: TrainerFolders, _ publication: TrainerPublication
    ) -> TrainerFailure {
        progress("keeping the log and the last checkpoint")
        var checkpoint: TrainerFailure.Checkpoint?
        var problem: String?
        if configuration.checkpoint != nil,
            let last = TrainerCheckpoint.last(in: folders.checkpoints)
        {
            let step = last.number ?? execution.metrics.step
            do throws(TrainingError) {
                checkpoint = try publication.publish(
                    last, step: step, reason: reason, metrics: execution.metrics.last
                ).map { TrainerFailure.Checkpoint(ref: $0.ref, id: $0.id, step: step) }
            } catch { problem = error.message }
        }
        let logs = KeptLogs(folder: surroundings.logs)
        return TrainerFailure(
            command: configuration.command, reason: reason, end: execution.end.word,
            code: execution.end.code.map { Int($0) },
            seconds: (execution.duration / .milliseconds(1)).rounded() / 1000,
            lastLines: execution.log.lastLines(10),
            log: logs.keep(execution.log.kept, of: configuration.model, at: writer.now()),
            checkpoint: checkpoint, checkpointProblem: problem, configuration: configuration.path,
            advice: advice)
    }

    private func message(_ execution: TrainerExecution) -> String {
        let program = configuration.command.prefix(3).joined(separator: " ")
        let steps = execution.metrics.step.map { ", \($0) steps" } ?? ""
        return "\(program) on \(configuration.dataset)\(steps)"
    }

    private func report(
        _ versions: TrainerPublication.Versions, _ execution: TrainerExecution,
        _ record: RunRecord, _ command: TrainerCommand, _ inputs: TrainerInputs,
        resumed: ObjectID?, _ cautions: [String]
    ) -> TrainerReport {
        var warnings = cautions + versions.commit.warnings + versions.cautions
        let ignored = execution.metrics.ignored
        if ignored.count > 0 {
            warnings.append(
                "\(ignored.count) lines or values of FTI_METRICS were left out; the first: "
                    + ignored.reason)
        }
        if command.isPython, record.packages == nil {
            warnings.append("the versions of Python's packages could not be found out")
        }
        if let adapter = configuration.adapter, versions.adapter == nil {
            warnings.append(
                "the trainer left no folder adapter in FTI_OUTPUT_DIR, so \(adapter) did not move")
        }
        return TrainerReport(
            transaction: versions.commit.number, refs: versions.commit.refs, model: versions.model,
            adapter: versions.adapter, inputs: inputs.roles, metrics: execution.metrics.values,
            resumed: resumed, step: execution.metrics.step,
            seconds: (execution.duration / .milliseconds(1)).rounded() / 1000, warnings: warnings)
    }
}
