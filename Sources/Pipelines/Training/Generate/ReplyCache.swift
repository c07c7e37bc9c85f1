internal import Artifacts
internal import Objects
internal import Refs
internal import Storage

/// The replies of language models in the repository: a dataset whose content is a table, keyed by the hash of the
/// request.
struct ReplyCache {
    private let repository: Repository
    private let name: RefName
    private let writer: Writer
    private let producer: Snapshot.Producer
    private let params: JSONObject

    /// How often a commit is repeated when another run commits replies at the same time.
    private static let attempts = 10

    init(
        _ repository: Repository, _ name: RefName, writer: Writer, producer: Snapshot.Producer,
        params: JSONObject
    ) {
        self.repository = repository
        self.name = name
        self.writer = writer
        self.producer = producer
        self.params = params
    }

    /// The replies at one moment.
    struct Replies {
        /// The snapshot; nil before the first reply.
        let snapshot: ObjectID?
        private let table: Table?
        private let objects: any ObjectSource

        fileprivate init(
            _ name: RefName, _ snapshot: ObjectID?, in objects: some ObjectSource
        ) throws(TrainingError) {
            self.snapshot = snapshot
            self.objects = objects
            table = try snapshot.map { (id) throws(TrainingError) in
                let found = try wrapping(Snapshot(id, in: objects), as: TrainingError.objects)
                guard found.kind == .dataset, let table = found.content.table,
                    table.dimension == 0
                else {
                    throw .notDataset(
                        id,
                        reason: "\(name) must hold a table of replies: choose another ref with "
                            + "datasets.generated")
                }
                return table
            }
        }

        /// The hashes of all requests that are answered.
        func hashes() throws(TrainingError) -> Set<String> {
            guard let table else { return [] }
            return Set(
                try wrapping(FeatureKeys.read(table, in: objects), as: TrainingError.objects).all)
        }

        /// The reply to a request; nil if there is none.
        func reply(to hash: String) throws(TrainingError) -> KeptReply? {
            guard let table else { return nil }
            let row = try wrapping(table.row(for: hash, in: objects), as: TrainingError.objects)
            return row.flatMap { KeptReply($0.attributes) }
        }

        /// The table with further replies.
        fileprivate func adding(
            _ replies: [KeptReply], in objects: ObjectWriter
        ) throws(ObjectError) -> Table {
            let rows = replies.map { TableRow(key: $0.hash, attributes: $0.attributes) }
            guard let table else {
                let all = Dictionary(rows.map { ($0.key, $0) }, uniquingKeysWith: { $1 })
                return try Table.build(rows: all.values, dimension: 0, in: objects)
            }
            return try table.applying(rows.map { TableEdit.put($0) }, in: objects)
        }
    }

    /// The replies in the newest state.
    func replies() throws(TrainingError) -> Replies {
        let state = try wrapping(repository.state(), as: TrainingError.refs)
        return try Replies(
            name, state.target(of: name),
            in: try wrapping(repository.objects(in: state), as: TrainingError.refs))
    }

    /// Commits replies; other runs may commit at the same time.
    func commit(_ replies: [KeptReply]) throws(TrainingError) {
        guard !replies.isEmpty else { return }
        for attempt in 1... {
            do throws(TrainingError) { return try attemptCommit(replies) } catch {
                guard error.fault == .conflict, attempt < Self.attempts else { throw error }
            }
        }
    }

    private func attemptCommit(_ replies: [KeptReply]) throws(TrainingError) {
        let transaction = try wrapping(
            repository.begin(writer: writer, moving: [name]), as: TrainingError.refs)
        let known = try Replies(
            name, transaction.state.target(of: name), in: transaction.objects)
        let table = try wrapping(
            known.adding(replies, in: transaction.objects), as: TrainingError.objects)
        let snapshot = Snapshot(
            kind: .dataset, content: .table(table), producer: producer, params: params,
            metrics: ["replies": Double(table.rows)], created: writer.now(),
            message: "\(table.rows) replies of language models")
        try wrapping(as: TrainingError.refs) { () throws(RefError) in
            let stored = try transaction.store(
                NextVersion(of: name, snapshot, incidental: [.params]))
            _ = try transaction.publish(
                [stored],
                message: "keep \(replies.count) replies of \(params["model"]?.string ?? "")")
        }
    }
}
