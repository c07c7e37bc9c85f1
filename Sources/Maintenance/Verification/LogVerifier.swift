internal import Objects
public import Refs
internal import Storage

/// Reads all of a log, from entry 0, and lists whatever is wrong with it or beside it.
///
/// Trusts neither the hint nor a checkpoint. Damage is a finding and does not end the search.
public struct LogVerifier: Sendable {
    /// What a verification found.
    public struct Report: Sendable {
        /// Everything that is wrong, in the order of the log; empty for a sound one.
        public let findings: [Finding]
        /// The state after the last entry up to which everything fits; nil when entry 0 does not.
        public let state: State?
        /// How many entries were read.
        public let entries: Int
        /// Whether the hint is what a crash leaves of one: no damage, and the next writer makes it anew.
        public let isHintTorn: Bool
    }

    private let log: Log

    /// Makes a verifier of a log.
    public init(_ log: Log) { self.log = log }

    /// Reads everything: O(entries), and one state in memory.
    ///
    /// - Throws: `noRepository` when there is nothing at all; `needsNewer`; `storage` when the bucket fails.
    public func verify() throws(RefError) -> Report {
        // Both before any entry: what is committed meanwhile must not look like a loss.
        let hint = try log.readHint()
        let remembered = log.trust.memory?.recall()
        let listing = try LogListing(log)
        guard hint != nil || !listing.isEmpty else {
            throw .noRepository(location: log.bucket.location)
        }
        var pass = LogWalk(log: log, hint: hint, listing: listing)
        try pass.readEntries()
        try pass.readReplaced()
        try pass.readCaches()
        try pass.checkTrust(remembered)
        return Report(
            findings: pass.findings
                + listing.strays.map {
                    Finding(problem: "it is no part of a log and is ignored", place: $0)
                }, state: pass.state, entries: pass.entryCount, isHintTorn: pass.isHintTorn)
    }
}

/// One pass over a log.
private struct LogWalk {
    let log: Log
    let hint: TipHint?
    let listing: LogListing
    var findings: [Finding] = []
    var state: State?
    var entryCount = 0
    private(set) var isHintTorn = false
    private var isFolding = true
    /// The hash of the entry before, when that could be read.
    private var previous: ObjectID?
    private var hintedHash: ObjectID?
    /// The newest entries, which an unreadable hint may have been about.
    private var newest: [(number: Int, hash: ObjectID)] = []
    private static let newestCount = 64
    /// Where in ``findings`` the damage of an entry is.
    private var damage: [Int: Int] = [:]
    /// The refs that the damage touches, by its place in ``findings``.
    private var touched: [Int: Set<RefName>] = [:]
    /// The numbers that have files, ascending, and how many of them were passed.
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
            let run: EntrySpan
            do throws(RefError) {
                run = try reader.run(from: number)
            } catch {
                guard error.concernsOneFile else { throw error }
                // Nothing of the segment can be read.
                let segment = listing.segment(holding: number)
                let last = segment?.last ?? number
                report(
                    number...last, error.reason,
                    at: error.place ?? segment?.place ?? LogFile.place(of: number))
                entryCount += last - number + 1
                number = last + 1
                continue
            }
            // Once the repository is known, signatures are checked by several threads.
            let repository = state?.repositoryID
            let results =
                repository.map { run.decoded(signedFor: $0) } ?? run.decoded()
            for (file, result) in zip(run.files, results) {
                try check(result, of: file, isVouchedFor: repository != nil)
            }
            number += run.files.count
            if let failure = run.failure {
                guard failure.concernsOneFile else { throw failure }
                report(
                    number...number, failure.reason,
                    at: failure.place ?? LogFile.place(of: number))
                entryCount += 1
                number += 1
            } else if run.isLast {
                guard let next = missing(from: number) else { break }
                number = next
            }
        }
        for (index, refs) in touched {
            let old = findings[index]
            findings[index] = Finding(
                problem: old.problem, place: old.place, affects: refs.sorted().map(\.text))
        }
    }

    /// Reports the entries from a number on that are missing, and returns the number after them; nil when the log
    /// ends there.
    private mutating func missing(from number: Int) -> Int? {
        while passed < ranges.count, ranges[passed].upperBound < number { passed += 1 }
        guard passed < ranges.count, ranges[passed].lowerBound > number else {
            // A log that grows meanwhile ends where nothing follows, and a hint that claims far too much must not
            // keep us here.
            if let hint, number <= hint.number {
                let place = LogFile.place(of: number)
                report(
                    number...number, "it is missing: the hint has seen \(hint.number)", at: place)
            }
            return nil
        }
        let next = ranges[passed].lowerBound
        report(
            number...(next - 1),
            next == number + 1 ? "it is missing" : "it is missing, as are all up to \(next - 1)",
            at: LogFile.place(of: number))
        return next
    }

    private mutating func check(
        _ result: Result<LogEntry, RefError>, of file: EntryFile, isVouchedFor: Bool
    ) throws(RefError) {
        switch result {
        case .success(let entry):
            check(entry, in: file, isVouchedFor: isVouchedFor)
            entryCount += 1
        case .failure(.damaged(_, let reason)):
            report(file.number...file.number, reason, at: file.place)
            entryCount += 1
        case .failure(.untrusted(_, let reason)):
            report(file.number...file.number, file.saying(reason), at: file.place)
            entryCount += 1
        case .failure(let error): throw error
        }
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
            } catch {
                if case .damaged(_, let reason) = error {
                    report(reason, entry, in: file)
                } else {
                    report(error.message, entry, in: file)
                }
            }
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

    /// Notes that an entry does not fit.
    private mutating func report(_ problem: String, _ entry: LogEntry, in file: EntryFile) {
        report(entry.number...entry.number, file.saying(problem), at: file.place)
        touched[findings.count - 1]?.formUnion(entry.changes.map(\.name))
    }

    /// Notes that entries cannot be read: what they moved shows in later ones.
    private mutating func report(_ numbers: ClosedRange<Int>, _ problem: String, at place: String) {
        // A gap that somebody made up must not fill the memory.
        for number in numbers.prefix(1024) where damage[number] == nil {
            damage[number] = findings.count
        }
        touched[findings.count] = []
        findings.append(Finding(problem: problem, place: place))
        (isFolding, previous) = (false, nil)
    }

    // MARK: What segments have replaced

    /// Looks at files that gathering has left behind. Readers do not.
    mutating func readReplaced() throws(RefError) {
        for number in listing.singles.keys.sorted() {
            guard let name = listing.segment(holding: number) else { continue }
            // The same bytes, or what a writer has made too late and was stopped before it removed it.
            do throws(RefError) {
                guard let bytes = try log.readSingle(number).get() else { continue }
                _ = try LogEntry(decoding: bytes, number: number)
            } catch {
                guard error.concernsOneFile else { throw error }
                findings.append(
                    Finding(
                        problem: "\(error.reason); \(name.place) holds the entry",
                        place: error.place ?? LogFile.place(of: number)))
            }
        }
        for small in listing.segments.keys.sorted(by: { $0.first < $1.first }) {
            let large = SegmentName(of: 1024, holding: small.first)
            guard small != large, listing.segments[large] != nil,
                let first = try whole(small), let second = try whole(large)
            else { continue }
            for number in small.numbers where first.file(of: number) != second.file(of: number) {
                findings.append(
                    Finding(
                        problem: "entry \(number) is not the one that \(small.place) holds",
                        place: large.place))
                break
            }
        }
    }

    /// A segment; nil when it is gone or its index is unreadable, which is no finding a second time.
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

    /// Compares the log with what this client remembers of it and demands. A log in which nothing else is wrong is
    /// remembered.
    mutating func checkTrust(_ remembered: Remembered?) throws(RefError) {
        guard let state, isFolding else { return }
        do throws(RefError) {
            try log.check(state, startedAt: .max, remembered)
        } catch .foreignRoot(let reason) {
            // Nothing is damaged, and nothing can be repaired.
            throw .foreignRoot(reason: reason)
        } catch {
            let number = min(remembered?.number ?? state.number, state.number)
            findings.append(
                Finding(problem: error.message, place: LogFile.place(of: number)))
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
        for name in names where log.isThere(name) {
            if let problem = log.problem(of: name, hash: expected, in: state) {
                findings.append(Finding(problem: problem, place: name.blob.description))
            }
        }
    }

    mutating func readCaches() throws(RefError) {
        let tip = state?.number ?? -1
        for (number, names) in listing.checkpoints.sorted(by: { $0.key < $1.key })
        where number > tip {
            for name in names where log.isThere(name) {
                findings.append(
                    Finding(
                        problem: "it cannot be compared: the log is sound up to \(tip) only",
                        place: name.blob.description))
            }
        }
        let place = LogFile.tip.description
        guard let hint else {
            do throws(RefError) {
                guard let bytes = try log.hintBytes() else { return }
                isHintTorn = TipHint.isTorn(
                    bytes, about: newest, checkpoints: listing.checkpoints.values.flatMap(\.self))
                if isHintTorn { return }
                findings.append(Finding(problem: "it is unreadable and is ignored", place: place))
            } catch {
                guard error.concernsOneFile else { throw error }
                findings.append(Finding(problem: error.reason, place: place))
            }
            return
        }
        if let hintedHash, hintedHash != hint.entryHash {
            findings.append(
                Finding(
                    problem: "it has seen entry \(hint.number) with another hash", place: place))
        }
    }
}

extension Log {
    /// What is wrong with a checkpoint of a state whose lines have a hash; nil for nothing.
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
        // What was removed since it was listed is no damage.
        if case .some(.none) = try? bucket.open(name.blob) { return false }
        return true
    }

    /// What stands where the hint does; nil when there is none.
    fileprivate func hintBytes() throws(RefError) -> [UInt8]? {
        do throws(StorageError) {
            return try bucket.read(LogFile.tip, limit: TipHint.byteCount)
        } catch {
            guard case .damaged(_, let reason) = error else { throw .storage(error) }
            throw .damaged(place: LogFile.tip.description, reason: reason)
        }
    }
}
