internal import Objects
public import Refs
internal import Storage

/// The files of packs that are there, and what the log says of them.
struct PackFiles {
    /// A transaction that removed a pack.
    struct Removal {
        let transaction: Int
        let time: Timestamp
    }

    /// The sizes of all files that are named as packs are.
    private(set) var sizes: [ObjectID: Int] = [:]
    /// When those that are not live were removed; those that no transaction removed were never added either.
    private(set) var removals: [ObjectID: Removal] = [:]
    /// Those that no transaction has added or removed.
    private(set) var orphans: Set<ObjectID> = []

    /// Lists the files; before the state is read for which they are asked to be told apart.
    init(in bucket: any Bucket) throws(RefError) {
        do throws(StorageError) {
            for entry in try bucket.list(.packs) {
                if let name = ObjectID(hex: entry.name) { sizes[name] = entry.size }
            }
        } catch { throw .storage(error) }
    }

    /// Looks up, from the newest transaction backwards, what removed the files that are not live: as far as it takes
    /// to find all of them, or to the beginning.
    ///
    /// - Parameter time: The present time.
    mutating func tellApart(
        live: [PackReference], in state: State, of log: Log, at time: Int
    ) throws(RefError) {
        removals = [:]
        orphans = Set(sizes.keys)
        for pack in live { orphans.remove(pack.name) }
        var number = state.number
        var reader = log.entries()
        while !orphans.isEmpty, number > 0 {
            let entry = try reader.entry(number)
            for case .unpack(let name) in entry.actions where orphans.remove(name) != nil {
                removals[name] = Removal(
                    transaction: number, time: entry.moment(asOf: time))
            }
            number -= 1
        }
    }

    /// The files of some packs, by name.
    func files(_ names: Set<ObjectID>) -> [CollectionReport.File] {
        names.sorted().compactMap { name in
            sizes[name].map { CollectionReport.File(name: name, size: $0) }
        }
    }

    /// Adds removals that have just been made.
    mutating func add(_ removal: Removal, of names: [ObjectID]) {
        for name in names where sizes[name] != nil {
            orphans.remove(name)
            removals[name] = removal
        }
    }

    /// Those files of removed packs that were removed at least so long ago, by the times in the log as well as by
    /// the clock of the bucket.
    ///
    /// - Parameter time: The present time.
    func removed(
        atLeast grace: Int, before time: Int, in bucket: any Bucket
    ) throws(RefError) -> Set<ObjectID> {
        if grace <= 0 { return Set(removals.keys) }
        let old = removals.filter { time - $0.value.time.milliseconds >= grace }
        var blobs: [Int: [BlobName]] = [:]
        for number in Set(old.values.map(\.transaction)) {
            // An entry that was gathered is at least as old as its segment.
            blobs[number] =
                [LogFile.entry(number)]
                + SegmentName.sizes.map { SegmentName(of: $0, holding: number).blob }
        }
        let ages: [BlobName: Int]
        do throws(StorageError) { ages = try bucket.ages(of: blobs.values.flatMap { $0 }) } catch {
            throw .storage(error)
        }
        var result: Set<ObjectID> = []
        for (name, removal) in old {
            let age = blobs[removal.transaction]?.compactMap { ages[$0] }.max()
            if let age, age >= grace { result.insert(name) }
        }
        return result
    }

    /// Those orphans that are at least so old by the clock of the bucket: their writers may yet add the others.
    func abandoned(
        atLeast grace: Int, in bucket: any Bucket
    ) throws(RefError) -> Set<ObjectID> {
        if orphans.isEmpty { return [] }
        let ages: [BlobName: Int]
        do throws(StorageError) {
            ages = try bucket.ages(of: orphans.map { BlobName(.packs, $0.hex) })
        } catch { throw .storage(error) }
        return orphans.filter { ages[BlobName(.packs, $0.hex)].map { $0 >= grace } ?? false }
    }
}

extension Repository {
    /// The files of packs that are not live in a state: those of packs that were removed, and those that no
    /// transaction has added, whose writers are at work yet or died.
    public func idlePackFiles(
        in state: State
    ) throws(RefError) -> (removed: [CollectionReport.File], unknown: [CollectionReport.File]) {
        let files = try packFiles(in: state)
        return (files.files(Set(files.removals.keys)), files.files(files.orphans))
    }

    /// The files of packs, told apart by a state and its time.
    func packFiles(in state: State) throws(RefError) -> PackFiles {
        var files = try PackFiles(in: bucket)
        try files.tellApart(
            live: try state.packs, in: state, of: log, at: state.time.milliseconds)
        return files
    }

    /// Those of some removed packs that have something which snapshots need, as far as it is there, and no live pack has.
    func removed(
        _ names: Set<ObjectID>, neededBy snapshots: [ObjectID], in state: State
    ) throws(RefError) -> Set<ObjectID> {
        let store = objects(try state.packs)
        do throws(ObjectError) {
            var marks = try PackMarks(store)
            try marks.add(try store.references(to: names.sorted()), asOldest: true)
            for snapshot in snapshots { try marks.mark(snapshot: snapshot, whatIsThere: true) }
            return marks.takeTouched().intersection(names)
        } catch { throw .objects(error) }
    }
}
