internal import Glibc
public import Objects
public import Refs
internal import Storage

/// What the programs share: who writes, and how a table becomes a snapshot and is found again.
public enum Benchmark {
    /// Who the log says wrote.
    public static var writer: Writer { Writer(name: "benchmark", now: now) }

    /// Who the snapshots say made them.
    public static let producer = Snapshot.Producer(pipeline: "benchmark", version: "1")

    /// The time of day.
    @Sendable
    public static func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        let milliseconds = time.tv_sec * 1000 + time.tv_nsec / 1_000_000
        guard let now = Timestamp(milliseconds: milliseconds) else {
            preconditionFailure("the clock is beyond the years that a log can hold")
        }
        return now
    }

    /// Stores a snapshot of rows.
    public static func store(
        _ table: Table, parents: [ObjectID], in objects: some ObjectSink
    ) throws -> ObjectID {
        let snapshot = Snapshot(
            kind: .features,
            content: .table(table),
            parents: parents, producer: producer, created: now())
        return try objects.write(snapshot.encoded, hint: .structured)
    }

    /// The table that a ref points at, and the objects it is read from.
    public static func table(_ name: RefName, in path: String) throws -> (Table, PackStore) {
        let repository = try Repository(opening: path)
        let state = try repository.state()
        let objects = try repository.objects(in: state)
        guard let target = state.target(of: name),
            case .table(let root, let rows, let dimension) = try Snapshot(target, in: objects)
                .content
        else { throw Arguments.Refusal("\(name) is no snapshot of rows") }
        return (Table(root: root, rows: rows, dimension: dimension), objects)
    }

    /// Two snapshots for a ref to move between.
    public static func twoSnapshots(in repository: Repository) throws -> [ObjectID] {
        let transaction = try repository.begin(writer: writer)
        let objects = transaction.objects
        let tree = try objects.write(try Tree([]).encoded, hint: .structured)
        let ids = try ["one", "two"].map { message in
            let snapshot = Snapshot(
                kind: .model, content: .tree(tree, files: 0, bytes: 0), producer: producer,
                created: now(), message: message)
            return try objects.write(snapshot.encoded, hint: .structured)
        }
        let updates = try zip(["models/one", "models/two"], ids).map { name, id in
            RefUpdate(try RefName(name), new: id)
        }
        _ = try transaction.commit(updates)
        return ids
    }
}
