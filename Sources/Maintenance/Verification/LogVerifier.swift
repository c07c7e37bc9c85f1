internal import Objects
public import Refs
internal import Storage

/// Reads a whole log, from entry 0, and lists all damage in its files.
///
/// It trusts neither the hint nor a checkpoint. Damage is a finding and does not end the search.
public struct LogVerifier: Sendable {
    /// The result of a verification.
    public struct Report: Sendable {
        /// All problems, those of entries first and in their order; empty for a sound log.
        public let findings: [Finding]
        /// The state after the last consecutive sound entry; nil when entry 0 is damaged.
        public let state: State?
        /// How many entries were read, damaged ones included.
        public let entries: Int
        /// Whether a crash left the hint torn: no damage, and the next writer rebuilds it.
        public let isHintTorn: Bool
    }

    private let log: Log

    /// Makes a verifier of a log.
    public init(_ log: Log) { self.log = log }

    /// Reads everything: O(entries), with one state in memory.
    ///
    /// - Throws: `noRepository` when there is no log at all; `foreignRoot` when no trusted key founded the repository;
    ///   `needsNewer`; `storage` when the bucket fails.
    public func verify() throws(RefError) -> Report {
        // Both before any entry: entries committed during the verification must not look like a loss.
        let hint = try log.readHint()
        let remembered = log.trust.memory?.recall()
        let listing = try LogListing(log)
        guard hint != nil || !listing.isEmpty else {
            throw .noRepository(location: log.bucket.location)
        }
        var walk = LogWalk(log: log, hint: hint, listing: listing)
        try walk.readEntries()
        try walk.readReplaced()
        try walk.readCaches()
        try walk.checkTrust(remembered)
        let strays = listing.strays.map { folder, path in
            Finding(
                folder == .checkpoints ? .cache : .damage, at: .stray(folder, path: path),
                "not a log file; ignored")
        }
        return Report(
            findings: walk.findings + strays, state: walk.state, entries: walk.entryCount,
            isHintTorn: walk.isHintTorn)
    }
}

/// A walk over a log that collects findings.
private struct LogWalk {
    let log: Log
    let hint: TipHint?
    let listing: LogListing
    var findings: [Finding] = []
    var state: State?
    var entryCount = 0
    private(set) var isHintTorn = false
    private var isFolding = true
    /// The hash of the previous entry, when that is readable.
    private var previous: ObjectID?
    private var hintedHash: ObjectID?
    /// The newest entries, to which a torn hint may refer.
    private var newest: [(number: Int, hash: ObjectID)] = []
    private static let newestCount = 64
    /// The index in ``findings`` of each damaged entry.
    private var damage: [Int: Int] = [:]
    /// The refs that damaged entries affect, by index in ``findings``.
    private var touched: [Int: Set<RefName>] = [:]
    /// The entry numbers that have files, ascending, and how many of these ranges are behind the walk.
    private let ranges: [ClosedRange<Int>]
    private var passed = 0

    init(log: Log, hint: TipHint?, listing: LogListing) {
        self.log = log
        self.hint = hint
        self.listing = listing
        ranges = listing.ranges
    }

    // MARK: Entries

    mutating func readEntries() throws(RefError) {
        var reader = EntryReader(log, isStrict: true)
        var number = 0
        while true {
            let span: EntrySpan
            do throws(RefError) {
                span = try reader.span(from: number)
            } catch {
                guard error.concernsOneFile else { throw error }
                // The whole segment is unreadable.
                let segment = listing.segment(holding: number)
                let last = segment?.last ?? number
                report(
                    number...last, error.reason,
                    at: segment.map { .segment($0.blob) } ?? .entry(number))
                entryCount += last - number + 1
                number = last + 1
                continue
            }
            // Once the repository is known, several threads check the signatures.
            let repository = state?.repositoryID
            let results =
                repository.map { span.decoded(signedFor: $0) } ?? span.decoded()
            for (file, result) in zip(span.files, results) {
                try check(result, of: file, isVouchedFor: repository != nil)
            }
            number += span.files.count
            if let failure = span.failure {
                guard failure.concernsOneFile else { throw failure }
                report(number...number, failure.reason, at: .entry(number))
                entryCount += 1
                number += 1
            } else if span.isLast {
                guard let next = missing(from: number) else { break }
                number = next
            }
        }
        for (index, refs) in touched { findings[index].affects = refs.sorted().map(\.text) }
    }

    /// Reports missing entries from a number on, and returns the number after them; nil at the end of the log.
    private mutating func missing(from number: Int) -> Int? {
        while passed < ranges.count, ranges[passed].upperBound < number { passed += 1 }
        guard passed < ranges.count, ranges[passed].lowerBound > number else {
            // A growing log ends at the first absent entry, and a hint that claims far too much must not keep the walk
            // going.
            if let hint, number <= hint.number {
                report(
                    number...number, "it is missing: the hint names entry \(hint.number)",
                    at: .entry(number))
            }
            return nil
        }
        let next = ranges[passed].lowerBound
        report(
            number...(next - 1),
            next == number + 1 ? "it is missing" : "it is missing, as are all up to \(next - 1)",
            at: .entry(number))
        return next
    }

    private mutating func check(
        _ result: Result<LogEntry, RefError>, of file: EntryFile, isVouchedFor: Bool
    ) throws(RefError) {
        switch result {
        case .success(let entry): check(entry, in: file, isVouchedFor: isVouchedFor)
        case .failure(.damaged(_, let reason)):
            report(file.number...file.number, reason, at: file.findingPlace)
        case .failure(.untrusted(_, let reason)):
            report(file.number...file.number, file.saying(reason), at: file.findingPlace)
        case .failure(let error): throw error
        }
        entryCount += 1
    }

    private mutating func check(_ entry: LogEntry, in file: EntryFile, isVouchedFor: Bool) {
        if let hint, hint.number == entry.number { hintedHash = entry.hash }
        if hint == nil {
            if newest.count == Self.newestCount { newest.removeFirst() }
            newest.append((entry.number, entry.hash))
        }
        for case .ref(let name, _, _, let since) in entry.actions {
            if let index = since.flatMap({ damage[$0] }) { touched[index]?.insert(name) }
        }
        if isFolding {
            do throws(RefError) {
                try fold(entry, isVouchedFor: isVouchedFor)
            } catch { report(error.reason, entry, in: file) }
        } else if let previous, entry.previous != previous {
            report("prev is not the hash of entry \(entry.number - 1)", entry, in: file)
        }
        previous = entry.hash
    }

    private mutating func fold(_ entry: LogEntry, isVouchedFor: Bool) throws(RefError) {
        if entry.number == 0 {
            state = try State(first: entry)
        } else {
            try state?.apply(entry, isVouchedFor: isVouchedFor)
        }
        checkCheckpoints()
    }

    /// Reports an entry that does not follow from the one before it.
    private mutating func report(_ problem: String, _ entry: LogEntry, in file: EntryFile) {
        report(entry.number...entry.number, file.saying(problem), at: file.findingPlace)
        touched[findings.count - 1]?.formUnion(entry.changes.map(\.name))
    }

    /// Reports unreadable entries; later entries show which refs they moved.
    private mutating func report(
        _ numbers: ClosedRange<Int>, _ problem: String, at place: Finding.Place
    ) {
        // A forged gap must not fill the memory.
        for number in numbers.prefix(1024) where damage[number] == nil {
            damage[number] = findings.count
        }
        touched[findings.count] = []
        findings.append(Finding(at: place, problem))
        (isFolding, previous) = (false, nil)
    }

    // MARK: Files that segments have replaced

    /// Checks files that gathering has left behind, which readers skip.
    mutating func readReplaced() throws(RefError) {
        for number in listing.singles.keys.sorted() {
            guard let name = listing.segment(holding: number) else { continue }
            // It holds the same bytes, or those of a writer that was too late and crashed before it removed its file.
            do throws(RefError) {
                guard let bytes = try log.readSingle(number).get() else { continue }
                _ = try LogEntry(decoding: bytes, number: number)
            } catch {
                guard error.concernsOneFile else { throw error }
                findings.append(
                    Finding(at: .entry(number), "\(error.reason); \(name.place) holds the entry"))
            }
        }
        for small in listing.segments.keys.sorted(by: { $0.first < $1.first }) {
            let large = SegmentName(of: SegmentName.largest, holding: small.first)
            guard small != large, listing.segments[large] != nil,
                let first = try whole(small), let second = try whole(large),
                let number = small.numbers.first(where: {
                    first.file(of: $0) != second.file(of: $0)
                })
            else { continue }
            findings.append(
                Finding(
                    at: .segment(large.blob),
                    "entry \(number) is not the one that \(small.place) holds"))
        }
    }

    /// Reads a segment; nil when it is gone or unreadable, which the walk over the entries has reported.
    private func whole(_ name: SegmentName) throws(RefError) -> Segment? {
        do throws(RefError) {
            return try log.openSegment(name).map { (blob) throws(RefError) in
                try log.load(name, blob)
            }
        } catch {
            guard error.concernsOneFile else { throw error }
            return nil
        }
    }

    // MARK: Trust

    /// Compares the log with what this client remembers and demands, and remembers it if there are no findings.
    mutating func checkTrust(_ remembered: Remembered?) throws(RefError) {
        guard let state, isFolding else { return }
        do throws(RefError) {
            try log.check(state, startedAt: .max, remembered)
        } catch .foreignRoot(let reason) {
            // Nothing is damaged, so nothing can be repaired.
            throw .foreignRoot(reason: reason)
        } catch {
            let number = min(remembered?.number ?? state.number, state.number)
            findings.append(Finding(at: .entry(number), error.message))
            return
        }
        guard findings.isEmpty else { return }
        log.trust.memory?.record(
            state, after: remembered, isDurable: hint?.number == state.number)
    }

    // MARK: Caches

    private mutating func checkCheckpoints() {
        guard let state, let names = listing.checkpoints[state.number],
            let bytes = try? Checkpoint.encode(state)
        else { return }
        let expected = ObjectID(of: bytes.span)
        report(names) { $0.problem(of: $1, hash: expected, in: state) }
    }

    mutating func readCaches() throws(RefError) {
        let tip = state?.number ?? -1
        for (number, names) in listing.checkpoints.sorted(by: { $0.key < $1.key })
        where number > tip {
            report(names) { _, _ in
                "it cannot be compared: the log is sound only up to \(tip)"
            }
        }
        if let hint {
            if let hintedHash, hintedHash != hint.entryHash {
                let problem = "it names entry \(hint.number) with another hash"
                findings.append(Finding(.cache, at: .hint, problem))
            }
            return
        }
        do throws(RefError) {
            guard let bytes = try log.hintBytes() else { return }
            isHintTorn = TipHint.isTorn(
                bytes, about: newest, checkpoints: listing.checkpoints.values.flatMap(\.self))
            if isHintTorn { return }
            findings.append(Finding(.cache, at: .hint, "it is unreadable and is ignored"))
        } catch {
            guard error.concernsOneFile else { throw error }
            findings.append(Finding(.cache, at: .hint, error.reason))
        }
    }

    /// Reports each checkpoint that has a problem.
    private mutating func report(
        _ names: [CheckpointName], _ problem: (Log, CheckpointName) -> String?
    ) {
        for name in names {
            // A checkpoint removed since the listing is no damage, so its presence is checked after the failed read.
            guard let problem = problem(log, name), log.isThere(name) else { continue }
            findings.append(
                Finding(.cache, at: .checkpoint(name.blob, number: name.number), problem))
        }
    }
}

extension EntryFile {
    fileprivate var findingPlace: Finding.Place {
        segment.map { .segment($0.blob) } ?? .entry(number)
    }
}

extension Log {
    /// What is wrong with a checkpoint, given the hash of its state; nil for a sound one.
    fileprivate func problem(of name: CheckpointName, hash: ObjectID, in state: State) -> String? {
        guard name.isSigned else {
            if name.hash != hash { return "it contradicts the log" }
            return read(name) == nil ? "it is unreadable" : nil
        }
        guard let bytes = try? bucket.read(name.blob, limit: Checkpoint.byteLimit),
            let stored = Checkpoint.decode(bytes, name: name)
        else { return "it is unreadable" }
        let body = Array(Checkpoint.body(bytes, name: name))
        guard ObjectID(of: body.span) == hash else { return "it contradicts the log" }
        guard let key = stored.certifier else { return "its signature is not valid" }
        return state.accessPolicy?.key(key)?.isAdmin ?? false ? nil : "it is not signed by an admin"
    }

    fileprivate func isThere(_ name: CheckpointName) -> Bool {
        if case .some(.none) = try? bucket.open(name.blob) { return false }
        return true
    }

    /// The bytes of the hint; nil when it does not exist.
    fileprivate func hintBytes() throws(RefError) -> [UInt8]? {
        do throws(StorageError) {
            return try bucket.read(LogFile.tip, limit: TipHint.byteCount)
        } catch .damaged(_, let reason) {
            throw .damaged(place: LogFile.tip.description, reason: reason)
        } catch { throw .storage(error) }
    }
}
