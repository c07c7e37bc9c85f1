internal import Objects
package import Storage
internal import Synchronization

/// Reads the entries of a log, from files of their own or from segments.
///
/// It caches the last segment that it read, so that reading many entries in order, forwards or backwards, reads each
/// segment once. Entries never change, so the cache stays valid.
///
/// A segment voids the single files of its entries. A single file is deleted once its segment exists; a writer that was
/// suspended for a long time may create it again later, and deletes it when it notices. So a single file counts only if
/// no segment that holds its entry exists *after* the file was read. A segment of 64 entries is deleted only after the
/// one of 1,024 that replaces it was created, so readers look for them in this order.
///
/// Where a segment is damaged, the files that it replaced count again as long as they exist (``Log/spare(of:)``).
public struct EntryReader: Sendable {
    private let log: Log
    /// Whether a damaged segment is reported even if its entries exist elsewhere.
    private let isStrict: Bool
    private var opened: Opened?
    private var loaded: Segment?
    /// The rest of a span whose first entry was read already.
    private var kept: EntrySpan?

    /// An open segment; the first ``singleReads`` reads from it read one entry each.
    private struct Opened {
        let name: SegmentName
        let blob: any Blob
        var reads = 0
    }

    /// How many entries of a segment are read one by one before the whole segment is read.
    private static let singleReads = 8

    package init(_ log: Log, isStrict: Bool = false) {
        self.log = log
        self.isStrict = isStrict
    }

    /// One entry, checked against its own hash.
    ///
    /// - Throws: `noTransaction` when there is no entry of this number; `damaged`; `needsNewer`.
    public mutating func entry(_ number: Int) throws(RefError) -> LogEntry {
        guard number >= 0, let entry = try find(number) else { throw .noTransaction(number) }
        return entry
    }

    /// One entry; nil when there is none of this number.
    mutating func find(_ number: Int) throws(RefError) -> LogEntry? {
        if !isStrict, let entry = log.largeEntries[number] { return entry }
        let entry = try sound(number)?.entry
        if !isStrict, let entry { log.largeEntries.keep(entry) }
        return entry
    }

    /// One entry with its file, from another file when a segment is damaged; nil when there is none of this number.
    mutating func sound(
        _ number: Int
    ) throws(RefError) -> (file: EntryFile, entry: LogEntry)? {
        do throws(RefError) {
            guard let file = try file(number) else { return nil }
            return (file, try file.decoded())
        } catch {
            // A spare may be the late file of a suspended writer, so the next entry must name its hash.
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

    /// The file of one entry; nil when there is none of this number.
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

    /// Consecutive entries from a number on: the rest of the segment that holds the first one, or single files up to
    /// where a segment could end.
    ///
    /// - Throws: `damaged` when the index of a segment is unreadable; `storage`. An error of one entry is part of the
    ///   span.
    package mutating func span(from number: Int) throws(RefError) -> EntrySpan {
        if let span = kept.take(), span.first == number { return span }
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
        // A segment that appeared meanwhile and covers the first entry covers all of them.
        do throws(RefError) {
            if let (name, blob) = try log.openSegment(holding: number) {
                let segment = try log.load(name, blob)
                loaded = segment
                return EntrySpan(segment, from: number, spares: spares)
            }
        } catch {
            guard case .damaged = error, !isStrict else { throw error }
            return spareSpan(from: number, to: end, error)
        }
        return EntrySpan(
            first: number, files: files, failure: failure,
            isLast: next <= end && failure == nil)
    }

    /// The entries of an unreadable segment that exist elsewhere.
    private func spareSpan(from number: Int, to last: Int, _ error: RefError) -> EntrySpan {
        var files: [EntryFile] = []
        for number in number...last {
            guard let spare = log.spare(of: number) else {
                return EntrySpan(first: number, files: files, failure: error, isLast: false)
            }
            files.append(spare.file)
        }
        return EntrySpan(first: number, files: files, failure: nil, isLast: false)
    }

    /// The entry of a number, nil when there is none; keeps the entries after it for the next ``span(from:)``.
    mutating func first(from number: Int) throws(RefError) -> LogEntry? {
        var span = try span(from: number)
        guard let file = span.files.first else {
            if let failure = span.failure { throw failure }
            return nil
        }
        let entry = try span.entry(in: file)
        span.first += 1
        span.files.removeFirst()
        kept = span
        return entry
    }
}

extension Log {
    /// A reader for many entries.
    public func entries() -> EntryReader { EntryReader(self) }

    /// An intact copy of an entry from any file; nil when there is none.
    ///
    /// This helps when a segment is damaged: the files that it replaces are deleted only when it is sound, so they may
    /// still exist. The next entry, which names the hash of this one, tells whether the copy is the right one.
    func spare(of number: Int) -> (file: EntryFile, entry: LogEntry)? {
        for name in SegmentName.all(holding: number) {
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

    /// The bytes of an entry's single file; nil when there is none.
    package func readSingle(_ number: Int) -> Result<[UInt8]?, RefError> {
        let name = LogFile.entry(number)
        do throws(StorageError) {
            return .success(try bucket.read(name, limit: LogEntry.byteLimit))
        } catch {
            // The bucket works, but a directory or an overlong file cannot be an entry.
            switch error {
            case .damaged, .unusable, .tooLarge, .truncated:
                return .failure(.damaged(place: name.description, reason: error.message))
            default: return .failure(.storage(error))
            }
        }
    }

    /// The segment that holds an entry; nil when no segment does.
    func openSegment(
        holding number: Int
    ) throws(RefError) -> (name: SegmentName, blob: any Blob)? {
        for name in SegmentName.all(holding: number) {
            if let blob = try openSegment(name) { return (name, blob) }
        }
        return nil
    }

    /// Opens a segment; nil when there is none of this name.
    package func openSegment(_ name: SegmentName) throws(RefError) -> (any Blob)? {
        do throws(StorageError) {
            return try bucket.open(name.blob)
        } catch .damaged(_, let reason) {
            throw .damaged(place: name.place, reason: reason)
        } catch { throw .storage(error) }
    }

    /// Reads a whole segment, and parses its index.
    package func load(_ name: SegmentName, _ blob: any Blob) throws(RefError) -> Segment {
        guard blob.size <= Segment.byteLimit else {
            throw .damaged(
                place: name.place,
                reason: "it has \(blob.size) bytes, more than the \(Segment.byteLimit) allowed")
        }
        return try Segment(
            wrapping(blob.read(at: 0, count: blob.size), as: RefError.storage), name: name)
    }
}

/// The bytes of one entry's file, and the place where they were found.
package struct EntryFile: Sendable {
    package let number: Int
    package let bytes: [UInt8]
    /// The segment that holds the bytes; nil for a single file.
    package let segment: SegmentName?

    /// The place of the bytes, for messages.
    package var place: String { segment?.place ?? LogFile.place(of: number) }

    /// The reason for an error, with the number of the entry where the error's place is a whole segment.
    package func saying(_ reason: String) -> String {
        segment == nil ? reason : "entry \(number): \(reason)"
    }

    /// Decodes the entry; accepts only the canonical encoding.
    ///
    /// - Throws: As ``LogEntry/init(decoding:number:)``, with the file that holds the bytes as the place.
    package func decoded() throws(RefError) -> LogEntry {
        do throws(RefError) { return try LogEntry(decoding: bytes, number: number) } catch {
            guard let segment, case .damaged(_, let reason) = error else { throw error }
            throw .damaged(place: segment.place, reason: saying(reason))
        }
    }
}

extension EntryFile {
    init(_ number: Int, in segment: Segment) {
        self.init(number: number, bytes: segment.file(of: number), segment: segment.name)
    }
}

/// The files of consecutive entries, and the reason why there are no more of them.
package struct EntrySpan: Sendable {
    fileprivate(set) var first: Int
    package fileprivate(set) var files: [EntryFile]
    /// The error of the entry after ``files``; nil when there is none.
    package let failure: RefError?
    /// Whether there was no entry after ``files``.
    package let isLast: Bool
    /// The log to search for copies of entries that are damaged in a segment; nil for none.
    var spares: Log?
}

extension EntrySpan {
    init(_ segment: Segment, from number: Int, spares: Log? = nil) {
        self.init(
            first: number, files: (number...segment.name.last).map { EntryFile($0, in: segment) },
            failure: nil, isLast: false, spares: spares)
    }

    /// The entry of a file, or a copy of it when the segment is damaged. The entries around it tell whether the copy is
    /// the right one.
    func entry(in file: EntryFile) throws(RefError) -> LogEntry {
        do throws(RefError) { return try file.decoded() } catch {
            guard case .damaged = error, file.segment != nil,
                let spare = spares?.spare(of: file.number)
            else { throw error }
            return spare.entry
        }
    }

    /// The number of entries that one thread decodes at a time.
    private static let block = 64

    /// The entries, decoded and judged, by several threads when there are many.
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

    /// The entries, with their signatures checked by the same threads.
    ///
    /// - Parameter repository: The repository that the signatures must be for.
    package func decoded(signedFor repository: RandomBits) -> [Result<LogEntry, RefError>] {
        decoded { (entry) throws(RefError) in try entry.checkSignature(for: repository) }
    }
}

/// A cache of decoded entries with many moves. A command that names thousands of refs needs one action for each, and
/// would otherwise decode the entry that moved them all once per ref.
final class LargeEntries: Sendable {
    /// Entries with fewer actions decode too fast to be worth caching.
    private static let leastActions = 64
    /// The maximum number of entries that are cached; each takes a few MB at most.
    private static let limit = 16

    private let known = Mutex<[Int: LogEntry]>([:])

    /// A cached entry; nil when it is not in the cache.
    subscript(number: Int) -> LogEntry? { known.withLock { $0[number] } }

    /// Caches an entry if it is large.
    func keep(_ entry: LogEntry) {
        guard entry.actions.count >= Self.leastActions else { return }
        known.withLock { known in
            if known.count >= Self.limit { known.removeAll() }
            known[entry.number] = entry
        }
    }
}
