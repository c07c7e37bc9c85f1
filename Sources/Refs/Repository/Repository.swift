public import Objects
public import Storage

/// A repository: objects, and refs that move.
///
/// A value that caches only what never changes: indexes of packs and large entries of the log. Every other question
/// goes to the bucket. Safe to use from any number of threads and processes.
public struct Repository: Sendable {
    /// The place that stores the log, the packs and the leases.
    public let bucket: any Bucket
    /// The log of transactions, which refs and live packs derive from.
    public let log: Log
    private let openPacks = OpenPacks()

    /// Opens the repository in a bucket; when there is none, the first read throws.
    ///
    /// - Parameter trust: This client's memory of the log, and the keys that it trusts.
    public init(in bucket: any Bucket, trust: Trust = Trust()) {
        self.bucket = bucket
        log = Log(bucket: bucket, trust: trust)
    }

    /// Opens the repository in a directory, usually named `.fti`.
    ///
    /// - Parameter trusted: The places that may belong to another user.
    /// - Throws: `noRepository` when the path is not such a directory; the errors of the bucket.
    public init(
        opening path: String, trust: Trust = Trust(), trusting trusted: TrustedPlaces = .none
    ) throws(RefError) {
        do {
            self.init(in: try DirectoryBucket(opening: path, trusting: trusted), trust: trust)
        } catch .noRepository(let path) {
            throw .noRepository(location: path)
        } catch { throw .storage(error) }
    }

    /// Creates a repository in a bucket that has none.
    ///
    /// - Throws: `repositoryExists`.
    public static func create(
        in bucket: any Bucket, writer: Writer
    ) throws(RefError) -> Repository {
        let repository = Repository(in: bucket)
        try repository.log.create(try Log.firstEntry(by: writer, message: ""))
        return repository
    }

    /// Creates a repository in a new directory; a crash leaves all of it or nothing.
    ///
    /// - Parameter isShared: Whether the group of the directory may read and write it.
    /// - Throws: `repositoryExists`; `storage` when the path exists and is not a repository.
    public static func create(
        at path: String, writer: Writer, isShared: Bool = false
    ) throws(RefError) -> Repository {
        let first = try Log.firstEntry(by: writer, message: "")
        do {
            return Repository(
                in: try DirectoryBucket.create(
                    at: path,
                    containing: [
                        LogFile.entry(0): first.encoded, LogFile.reserve: LogFile.reserveBytes,
                    ], isShared: isShared))
        } catch {
            if case .unusable = error, let there = try? Repository(opening: path),
                (try? there.state()) != nil
            {
                throw .repositoryExists(location: path)
            }
            throw .storage(error)
        }
    }

    /// The state after the newest transaction. Take it once for each operation, and use it throughout.
    ///
    /// - Throws: As ``Log/state()``.
    public func state() throws(RefError) -> State { try log.state() }

    /// The objects that exist in a state.
    ///
    /// - Throws: `damaged` when the log contradicts itself about packs.
    public func objects(in state: State) throws(RefError) -> PackStore {
        let log = log
        return PackStore(bucket: bucket, packs: try state.packs, opened: openPacks) {
            (try? log.renewal(of: state)) ?? nil
        }
    }

    /// The objects of some packs, live or not.
    package func objects(_ packs: [PackReference]) -> PackStore {
        PackStore(bucket: bucket, packs: packs, opened: openPacks)
    }

    /// Begins a transaction on the newest state.
    ///
    /// - Parameter names: Refs that the transaction will move: a writer that may not move them fails now and not at the
    ///   commit.
    /// - Throws: As ``state()``; `unauthorized` and `key`.
    public func begin(
        writer: Writer, moving names: [RefName] = []
    ) throws(RefError) -> Transaction {
        try begin(on: try state(), writer: writer, moving: names)
    }

    /// Begins a transaction on a state that the caller has read: moving a ref that has moved since is a conflict.
    ///
    /// - Parameter names: Refs that the transaction will move: a writer that may not move them fails now and not at the
    ///   commit.
    /// - Throws: `damaged` when the log contradicts itself about packs; `unauthorized` and `key`.
    public func begin(
        on state: State, writer: Writer, moving names: [RefName] = []
    ) throws(RefError) -> Transaction {
        try writer.checkRights(toMove: names, in: state)
        return Transaction(
            repository: self, state: state, writer: writer,
            objects: ObjectWriter(bucket: bucket, existing: try objects(in: state)))
    }
}
