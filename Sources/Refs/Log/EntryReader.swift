internal import Storage

/// Reads the entries of a log wherever they are: in files of their own, or gathered in segments.
///
/// Remembers the segment that it read last, so that reading many entries in order, forwards or backwards, reads each
/// segment once. Entries never change, so what it remembers stays true.
///
/// An entry that a segment holds is void outside it. A single file comes into being before its segment, and goes
/// after it; a writer that was away for long can make it anew then, and removes it when it notices. So a single
/// file counts when no segment with its number is there *after* it was read. Segments of 64 go after the one of
/// 1,024 that holds the same, so they are looked for in this order.
public struct EntryReader: Sendable {
    private let log: Log
    private var opened: Opened?
    private var loaded: Segment?
    /// What was read already of the run that comes next.
    private var kept: EntryRun?

    /// A segment of which entries are read one by one, until they are many.
    private struct Opened {
        let name: SegmentName
        let blob: any Blob
        var reads = 0
    }

    /// How many entries of a segment are read one by one before it is read as a whole, which takes as long as
    /// reading so many.
    private static let singleReads = 8

    init(_ log: Log) { self.log = log }

    /// One entry, which is checked against its own hash.
    ///
    /// - Throws: `noTransaction` when there is none of this number; `damaged`; `needsNewer`.
    public mutating func entry(_ number: Int) throws(RefError) -> LogEntry {
        guard number >= 0, let entry = try find(number) else { throw .noTransaction(number) }
        return entry
    }

    /// One entry, or nil when there is none of this number.
    mutating func find(_ number: Int) throws(RefError) -> LogEntry? {
        guard let file = try file(number) else { return nil }
        return try file.decoded()
    }

    /// The file of one entry, wherever it is.
    mutating func file(_ number: Int) throws(RefError) -> EntryFile? {
        if let loaded, loaded.name.holds(number) { return EntryFile(number, in: loaded) }
        if let file = try readOpened(number) { return file }
        let single = log.readSingle(number)
        if let (name, blob) = try log.openSegment(holding: number) {
            opened = Opened(name: name, blob: blob)
            return try readOpened(number)
        }
        return try single.get().map { EntryFile(number: number, bytes: $0, segment: nil) }
    }

    private mutating func readOpened(_ number: Int) throws(RefError) -> EntryFile? {
        guard let current = opened, current.name.holds(number) else { return nil }
        opened?.reads += 1
        if current.reads >= Self.singleReads {
            let segment = try log.load(current.name, current.blob)
            loaded = segment
            return EntryFile(number, in: segment)
        }
        let bytes = try Segment.file(of: number, in: current.blob, current.name)
        return EntryFile(number: number, bytes: bytes, segment: current.name)
    }

    /// Entries that follow one another, from a number on: all that the segment holds that has the first, or those
    /// single ones up to where a segment could end.
    ///
    /// - Throws: `damaged` when a segment's index is unreadable; `storage`. What is wrong with one entry is in the
    ///   run.
    mutating func run(from number: Int) throws(RefError) -> EntryRun {
        if let run = kept.take(), run.first == number { return run }
        if let loaded, loaded.name.holds(number) { return EntryRun(loaded, from: number) }
        let end = SegmentName(of: SegmentName.smallest, holding: number).last
        var files: [EntryFile] = []
        var failure: RefError?
        var next = number
        singles: while next <= end {
            switch log.readSingle(next) {
            case .success(let bytes?):
                files.append(EntryFile(number: next, bytes: bytes, segment: nil))
            case .success(nil): break singles
            case .failure(let error):
                failure = error
                break singles
            }
            next += 1
        }
        // What is absent is no less so if it is gathered by now: whatever covers the first covers all of them.
        if let (name, blob) = try log.openSegment(holding: number) {
            let segment = try log.load(name, blob)
            loaded = segment
            return EntryRun(segment, from: number)
        }
        return EntryRun(
            first: number, files: files, failure: failure,
            isLast: next <= end && failure == nil)
    }

    /// The entry at a number, when those after it are read next.
    mutating func first(from number: Int) throws(RefError) -> LogEntry? {
        let run = try run(from: number)
        guard let file = run.files.first else {
            if let failure = run.failure { throw failure }
            return nil
        }
        kept = EntryRun(
            first: number + 1, files: Array(run.files.dropFirst()), failure: run.failure,
            isLast: run.isLast)
        return try file.decoded()
    }
}

extension Log {
    /// A reader of entries, for who reads many.
    public func entries() -> EntryReader { EntryReader(self) }

    /// What the single file of an entry has; nil when there is none.
    func readSingle(_ number: Int) -> Result<[UInt8]?, RefError> {
        let name = LogFile.entry(number)
        do throws(StorageError) {
            return .success(try bucket.read(name, limit: LogEntry.byteLimit))
        } catch {
            // The bucket works; what stands there can be no entry (a directory, a file too large).
            switch error {
            case .damaged, .unusable, .tooLarge, .truncated:
                return .failure(.damaged(place: name.description, reason: error.message))
            default: return .failure(.storage(error))
            }
        }
    }

    /// The segment that holds an entry; nil when it is not in one.
    func openSegment(
        holding number: Int
    ) throws(RefError) -> (name: SegmentName, blob: any Blob)? {
        for size in SegmentName.sizes {
            let name = SegmentName(of: size, holding: number)
            if let blob = try openSegment(name) { return (name, blob) }
        }
        return nil
    }

    /// A segment; nil when there is none of this name.
    func openSegment(_ name: SegmentName) throws(RefError) -> (any Blob)? {
        do throws(StorageError) {
            return try bucket.open(name.blob)
        } catch .damaged(_, let reason) {
            throw .damaged(place: name.place, reason: reason)
        } catch { throw .storage(error) }
    }

    /// Reads a whole segment.
    func load(_ name: SegmentName, _ blob: any Blob) throws(RefError) -> Segment {
        guard blob.size <= Segment.byteLimit else {
            throw .damaged(
                place: name.place,
                reason: "it has \(blob.size) bytes, more than the \(Segment.byteLimit) allowed")
        }
        let bytes: [UInt8]
        do {
            bytes = try blob.read(at: 0, count: blob.size)
        } catch { throw .storage(error) }
        return try Segment(bytes, name: name)
    }
}
