internal import Objects
public import Refs
internal import Storage

/// The files of packs that are not live; the log tells removed packs from orphans.
struct PackFiles {
    /// A transaction that removed a pack.
    struct Removal {
        let transaction: Int
        let time: Timestamp
    }

    /// The sizes of all pack files.
    fileprivate let sizes: [ObjectID: Int]
    /// The removals of the packs that have a file, by pack.
    private(set) var removals: [ObjectID: Removal] = [:]
    /// The packs that no transaction has added or removed.
    private(set) var orphans: Set<ObjectID>

    /// Searches the log backwards for the removals of all packs that are not live, until each is found or the log
    /// begins.
    ///
    /// - Parameters:
    ///   - sizes: The files, listed before the state was read.
    ///   - time: The present time.
    static func classifying(
        _ sizes: [ObjectID: Int], in state: State, of log: Log, at time: Int
    ) throws(RefError) -> PackFiles {
        let live = try state.packs.map(\.name)
        var files = PackFiles(sizes: sizes, orphans: Set(sizes.keys).subtracting(live))
        var number = state.number
        var reader = log.entries()
        while !files.orphans.isEmpty, number > 0 {
            let entry = try reader.entry(number)
            for case .unpack(let name) in entry.actions where files.orphans.contains(name) {
                files.add(
                    Removal(transaction: number, time: entry.moment(asOf: time)), of: [name])
            }
            number -= 1
        }
        return files
    }

    /// Looks up the files of some packs, ordered by name.
    func files(_ names: Set<ObjectID>) -> [CollectionReport.File] {
        names.sorted().compactMap { name in
            sizes[name].map { CollectionReport.File(name: name, size: $0) }
        }
    }

    /// Notes that a transaction removed packs; ignores packs without files.
    mutating func add(_ removal: Removal, of names: [ObjectID]) {
        for name in names where sizes[name] != nil {
            orphans.remove(name)
            removals[name] = removal
        }
    }
}

extension Repository {
    /// Lists the files of packs that are not live in a state: the packs that a transaction removed, and orphans, whose
    /// writers still run or have crashed.
    public func idlePackFiles(
        in state: State
    ) throws(RefError) -> (removed: [CollectionReport.File], unknown: [CollectionReport.File]) {
        let files = try packFiles(in: state)
        return (files.files(Set(files.removals.keys)), files.files(files.orphans))
    }

    /// The files of packs that are not live in a state, as of the state's time.
    func packFiles(in state: State) throws(RefError) -> PackFiles {
        try PackFiles.classifying(
            packFileSizes(), in: state, of: log, at: state.time.milliseconds)
    }

    /// Lists the sizes of all files with the name of a pack.
    func packFileSizes() throws(RefError) -> [ObjectID: Int] {
        let entries = try wrapping(bucket.list(.packs), as: RefError.storage)
        let sizes = entries.compactMap { entry in
            ObjectID(hex: entry.name).map { ($0, entry.size) }
        }
        return Dictionary(sizes, uniquingKeysWith: { first, _ in first })
    }

    /// The removed packs whose removal is at least `grace` milliseconds ago, by the times in the log and by the clock
    /// of the storage.
    ///
    /// - Parameter time: The present time.
    func removedFiles(
        in files: PackFiles, atLeast grace: Int, before time: Int
    ) throws(RefError) -> Set<ObjectID> {
        if grace <= 0 { return Set(files.removals.keys) }
        let old = files.removals.filter { time - $0.value.time.milliseconds >= grace }
        let ages = try ages(ofEntries: Set(old.values.map(\.transaction)))
        return Set(old.filter { ages[$0.value.transaction].map { $0 >= grace } ?? false }.keys)
    }

    /// The orphans that are at least `grace` milliseconds old by the clock of the storage: the writers of younger ones
    /// may still add them.
    func orphans(in files: PackFiles, atLeast grace: Int) throws(RefError) -> Set<ObjectID> {
        if files.orphans.isEmpty { return [] }
        let ages = try wrapping(as: RefError.storage) { () throws(StorageError) in
            try bucket.ages(of: files.orphans.map { BlobName(.packs, $0.hex) })
        }
        return files.orphans.filter { ages[BlobName(.packs, $0.hex)].map { $0 >= grace } ?? false }
    }

    /// How long ago entries of the log were written, in milliseconds by the clock of the storage.
    func ages(ofEntries numbers: Set<Int>) throws(RefError) -> [Int: Int] {
        // An entry is at least as old as any segment that holds it.
        let blobs = numbers.map { number in
            [LogFile.entry(number)]
                + SegmentName.sizes.map { SegmentName(of: $0, holding: number).blob }
        }
        let ages = try wrapping(bucket.ages(of: blobs.flatMap(\.self)), as: RefError.storage)
        var result: [Int: Int] = [:]
        for (number, files) in zip(numbers, blobs) {
            result[number] = files.compactMap { ages[$0] }.max()
        }
        return result
    }

    /// The removed packs that hold something that snapshots need and no live pack has.
    func removed(
        _ names: Set<ObjectID>, neededBy snapshots: [ObjectID], in state: State
    ) throws(RefError) -> Set<ObjectID> {
        let store = objects(try state.packs)
        return try wrapping(as: RefError.objects) { () throws(ObjectError) in
            var marks = try PackMarks(store)
            try marks.add(try store.references(to: names.sorted()), asOldest: true)
            for snapshot in snapshots { try marks.mark(snapshot: snapshot, skippingMissing: true) }
            return marks.takeTouched().intersection(names)
        }
    }
}

extension Bucket {
    /// Deletes a file; returns false for a directory of that name, which only a person can have created.
    func deleteFile(_ name: BlobName) throws(StorageError) -> Bool {
        try unlessDirectory { () throws(StorageError) in try delete(name) }
    }

    /// Replaces a file durably and atomically; returns false for a directory of that name.
    func replaceFile(_ name: BlobName, _ bytes: [UInt8]) throws(StorageError) -> Bool {
        try unlessDirectory { () throws(StorageError) in
            let staged = try stage(in: name.folder)
            _ = try staged.append(bytes)
            try staged.replace(name)
        }
    }

    /// Changes a file; returns false when a directory has its name.
    func unlessDirectory(_ change: () throws(StorageError) -> Void) throws(StorageError) -> Bool {
        do throws(StorageError) {
            try change()
            return true
        } catch {
            if error.isDirectory { return false }
            throw error
        }
    }
}
