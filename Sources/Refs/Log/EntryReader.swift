internal import Objects
package import Storage
internal import Synchronization

/// Reads the entries of a log wherever they are: in files of their own, or gathered in segments.
///
/// Remembers the segment that it read last, so that reading many entries in order, forwards or backwards, reads each
/// segment once. Entries never change, so what it remembers stays true.
///
/// An entry that a segment holds is void outside it. A single file comes into being before its segment, and goes
/// after it; a writer that was away for long can make it anew then, and removes it when it notices. So a single
/// file counts when no segment with its number is there *after* it was read. Segments of 64 go after the one of
/// 1,024 that holds the same, so they are looked for in this order.
///
/// Where a segment is damaged, what it has replaced counts again, as long as it is there (``Log/spare(of:)``).
public struct EntryReader: Sendable {
    private let log: Log
    /// Whether a damaged segment is damage even if its entries are elsewhere as well.
    private let isStrict: Bool
    private var opened: Opened?
    private var loaded: Segment?
    /// What was read already of the run that comes next.
    private var kept: EntrySpan?

    /// A segment of which entries are read one by one, until they are many.
    private struct Opened {
        let name: SegmentName
        let blob: any Blob
        var reads = 0
    }

    /// How many entries of a segment are read one by one before it is read as a whole, which takes as long as
    /// reading so many.
    private static let singleReads = 8

    package init(_ log: Log, isStrict: Bool = false) {
        self.log = log
        self.isStrict = isStrict
    }

    /// One entry, which is checked against its own hash.
    ///
    /// - Throws: `noTransaction` when there is none of this number; `damaged`; `needsNewer`.
    public mutating func entry(_ number: Int) throws(RefError) -> LogEntry {
        guard number >= 0, let entry = try find(number) else { throw .noTransaction(number) }
        return entry
    }

    /// One entry, or nil when there is none of this number.
    mutating func find(_ number: Int) throws(RefError) -> LogEntry? {
        if !isStrict, let entry = log.largeEntries[number] { return entry }
        let entry = try sound(number)?.entry
        if !isStrict, let entry { log.largeEntries.keep(entry) }
        return entry
    }

    /// One entry with its file, from elsewhere when a segment is damaged; nil when there is none of this number.
    mutating func sound(
        _ number: Int
    ) throws(RefError) -> (file: EntryFile, entry: LogEntry)? {
        do throws(RefError) {
            guard let file = try file(number) else { return nil }
            return (file, try file.decoded())
        } catch {
            // Outside of a segment there may also be what a writer has made too late.
            guard case .damaged = error, !isStrict, let spare = log.spare(of: number),
                next(after: number)?.previous == spare.entry.hash
            else { throw error }
            return spare
        }
    }

    private mutating func next(after number: Int) -> LogEntry? {
        if let file = try? file(number + 1), let entry = try? file.decoded() { return entry }
        return log.spare(of: number + 1)?.entry
    }

    /// The file of one entry, wherever it is.
    package mutating func file(_ number: Int) throws(RefError) -> EntryFile? {
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
    package mutating func run(from number: Int) throws(RefError) -> EntrySpan {
        if let run = kept.take(), run.first == number { return run }
        let spares = isStrict ? nil : log
        if let loaded, loaded.name.holds(number) {
            return EntrySpan(loaded, from: number, spares: spares)
        }
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
        do throws(RefError) {
            if let (name, blob) = try log.openSegment(holding: number) {
                let segment = try log.load(name, blob)
                loaded = segment
                return EntrySpan(segment, from: number, spares: spares)
            }
        } catch {
            guard case .damaged = error, !isStrict else { throw error }
            return spareRun(from: number, to: end, error)
        }
        return EntrySpan(
            first: number, files: files, failure: failure,
            isLast: next <= end && failure == nil)
    }

    /// What is left elsewhere of entries whose segment cannot be read at all.
    private func spareRun(from number: Int, to last: Int, _ error: RefError) -> EntrySpan {
        var files: [EntryFile] = []
        for number in number...last {
            guard let spare = log.spare(of: number) else {
                return EntrySpan(first: number, files: files, failure: error, isLast: false)
            }
            files.append(spare.file)
        }
        return EntrySpan(first: number, files: files, failure: nil, isLast: false)
    }

    /// The entry at a number, when those after it are read next.
    mutating func first(from number: Int) throws(RefError) -> LogEntry? {
        let run = try run(from: number)
        guard let file = run.files.first else {
            if let failure = run.failure { throw failure }
            return nil
        }
        kept = EntrySpan(
            first: number + 1, files: Array(run.files.dropFirst()), failure: run.failure,
            isLast: run.isLast, spares: run.spares)
        return try run.entry(in: file)
    }
}

extension Log {
    /// A reader of entries, for who reads many.
    public func entries() -> EntryReader { EntryReader(self) }

    /// An entry that some file holds, whichever comes first in which it is whole; nil when there is none.
    ///
    /// For entries of damaged segments: what a segment replaces goes only when the segment is sound, so it may be
    /// there still. Whether the entry is the right one shows by the one after it.
    func spare(of number: Int) -> (file: EntryFile, entry: LogEntry)? {
        for size in SegmentName.sizes {
            let name = SegmentName(of: size, holding: number)
            guard let blob = (try? openSegment(name)) ?? nil,
                let bytes = try? Segment.file(of: number, in: blob, name)
            else { continue }
            let file = EntryFile(number: number, bytes: bytes, segment: name)
            if let entry = try? file.decoded() { return (file, entry) }
        }
        guard let bytes = (try? readSingle(number).get()) ?? nil else { return nil }
        let file = EntryFile(number: number, bytes: bytes, segment: nil)
        return (try? file.decoded()).map { (file, $0) }
    }

    /// What the single file of an entry has; nil when there is none.
    package func readSingle(_ number: Int) -> Result<[UInt8]?, RefError> {
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
    package func openSegment(_ name: SegmentName) throws(RefError) -> (any Blob)? {
        do throws(StorageError) {
            return try bucket.open(name.blob)
        } catch .damaged(_, let reason) {
            throw .damaged(place: name.place, reason: reason)
        } catch { throw .storage(error) }
    }

    /// Reads a whole segment.
    package func load(_ name: SegmentName, _ blob: any Blob) throws(RefError) -> Segment {
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

/// The bytes of one entry's file, and where they were found.
package struct EntryFile: Sendable {
    package let number: Int
    package let bytes: [UInt8]
    /// The segment that they are in; nil for a file of its own.
    let segment: SegmentName?

    init(number: Int, bytes: [UInt8], segment: SegmentName?) {
        self.number = number
        self.bytes = bytes
        self.segment = segment
    }

    init(_ number: Int, in segment: Segment) {
        self.init(number: number, bytes: segment.file(of: number), segment: segment.name)
    }

    /// Where they are, for messages.
    package var place: String { segment?.place ?? LogFile.place(of: number) }

    /// What is wrong with the entry, for a message that names the place.
    package func saying(_ reason: String) -> String {
        segment == nil ? reason : "entry \(number): \(reason)"
    }

    /// The entry.
    ///
    /// - Throws: As ``LogEntry/init(decoding:number:)``, naming the file that the bytes are in.
    package func decoded() throws(RefError) -> LogEntry {
        guard let segment else { return try LogEntry(decoding: bytes, number: number) }
        do throws(RefError) {
            return try LogEntry(decoding: bytes, number: number)
        } catch .damaged(_, let reason) {
            throw .damaged(place: segment.place, reason: saying(reason))
        } catch { throw error }
    }
}

/// Entries that follow one another, each with what is wrong with it.
package struct EntrySpan: Sendable {
    let first: Int
    package let files: [EntryFile]
    /// What stands in the place of the entry after them.
    package let failure: RefError?
    /// Whether there was no entry after them.
    package let isLast: Bool
    /// Where else an entry is looked for that is damaged in a segment; nil for nowhere.
    let spares: Log?

    init(
        first: Int, files: [EntryFile], failure: RefError?, isLast: Bool, spares: Log? = nil
    ) {
        self.first = first
        self.files = files
        self.failure = failure
        self.isLast = isLast
        self.spares = spares
    }

    init(_ segment: Segment, from number: Int, spares: Log? = nil) {
        self.init(
            first: number, files: (number...segment.name.last).map { EntryFile($0, in: segment) },
            failure: nil, isLast: false, spares: spares)
    }

    /// The entry in one of the files, or from elsewhere when that is damaged. Whether it then is the right one
    /// shows by those around it.
    func entry(in file: EntryFile) throws(RefError) -> LogEntry {
        do throws(RefError) {
            return try file.decoded()
        } catch {
            guard case .damaged = error, file.segment != nil,
                let spare = spares?.spare(of: file.number)
            else { throw error }
            return spare.entry
        }
    }

    /// So many entries are decoded by one thread at a time.
    private static let block = 64

    /// The entries, decoded and judged by several threads when they are many.
    package func decoded(
        _ judge: @Sendable (LogEntry) throws(RefError) -> Void = { (_) throws(RefError) in }
    ) -> [Result<LogEntry, RefError>] {
        let blocks = (files.count + Self.block - 1) / Self.block
        return Threads.map(blocks) { index in
            files[index * Self.block..<min((index + 1) * Self.block, files.count)].map { file in
                Result { () throws(RefError) in
                    let entry = try entry(in: file)
                    try judge(entry)
                    return entry
                }
            }
        }.flatMap(\.self)
    }

    /// The entries, their signatures checked by the same threads.
    ///
    /// - Parameter repository: What the signatures must be for.
    package func decoded(signedFor repository: RandomBits) -> [Result<LogEntry, RefError>] {
        decoded { (entry) throws(RefError) in try entry.checkSignature(for: repository) }
    }
}

/// Entries with many moves that were decoded lately. Following one ref takes one action of an entry, and a command that
/// names thousands of refs would decode the entry that moved them all once for each.
final class LargeEntries: Sendable {
    /// Fewer actions are decoded in no time.
    private static let leastActions = 64
    /// An entry takes some MB at most.
    private static let limit = 16

    private let known = Mutex<[Int: LogEntry]>([:])

    /// The entry of a number; nil when it was not kept.
    subscript(number: Int) -> LogEntry? { known.withLock { $0[number] } }

    /// Keeps an entry if it is large.
    func keep(_ entry: LogEntry) {
        guard entry.actions.count >= Self.leastActions else { return }
        known.withLock { known in
            if known.count >= Self.limit { known.removeAll() }
            known[entry.number] = entry
        }
    }
}
