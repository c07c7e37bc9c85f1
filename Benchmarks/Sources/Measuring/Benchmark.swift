internal import Glibc
public import Objects
public import Refs
internal import Storage

/// Shared by the programs: the author, the clock, and storing and opening snapshots of rows.
public enum Benchmark {
    /// The author of every transaction; it signs nothing.
    public static var writer: Writer { Writer(name: "benchmark", now: now) }

    /// The producer that every snapshot records.
    public static let producer = Snapshot.Producer(pipeline: "benchmark", version: "1")

    /// The current time, in milliseconds.
    @Sendable
    public static func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        let milliseconds = time.tv_sec * 1000 + time.tv_nsec / 1_000_000
        guard let now = Timestamp(milliseconds: milliseconds) else {
            preconditionFailure("the clock is outside the range of log timestamps")
        }
        return now
    }

    /// Stores a snapshot of a table's rows and returns its hash.
    public static func store(
        _ table: Table, parents: [ObjectID], in objects: some ObjectSink
    ) throws -> ObjectID {
        let snapshot = Snapshot(
            kind: .features,
            content: .table(table),
            parents: parents, producer: producer, created: now())
        return try objects.write(snapshot.encoded, hint: .structured)
    }

    /// Opens the table that a ref points at, with the store that holds its objects.
    public static func table(_ name: RefName, in path: String) throws -> (Table, PackStore) {
        let repository = try Repository(opening: path)
        let state = try repository.state()
        let objects = try repository.objects(in: state)
        guard let target = state.target(of: name),
            let table = try Snapshot(target, in: objects).content.table
        else { throw Arguments.Refusal("\(name) is not a snapshot of rows") }
        return (table, objects)
    }

    /// Stores two snapshots for a ref to move between, and returns their hashes.
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
