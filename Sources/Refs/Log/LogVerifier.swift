internal import Objects
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
        let listing = try Listing(log)
        guard hint != nil || !listing.isEmpty else {
            throw .noRepository(location: log.bucket.location)
        }
        var pass = Pass(log: log, hint: hint, listing: listing)
        try pass.readEntries()
        try pass.readCaches()
        return Report(
            findings: pass.findings
                + listing.strays.map {
                    Finding(problem: "it is no part of a log and is ignored", place: $0)
                }, state: pass.state, entries: pass.entryCount)
    }
}

/// What the folders of a log hold, by name.
private struct Listing {
    /// The numbers of the entries, ascending.
    var entries: [Int] = []
    var checkpoints: [Int: [CheckpointName]] = [:]
    var strays: [String] = []

    var isEmpty: Bool { entries.isEmpty && checkpoints.isEmpty && strays.isEmpty }

    /// What else may be in the folder: a hint, room for an entry when the disk is full.
    private static let known = ["tip", "reserve"]

    init(_ log: Log) throws(RefError) {
        do throws(StorageError) {
            for entry in try log.bucket.list(.log) {
                if let number = LogFile.number(ofEntry: entry.name) {
                    entries.append(number)
                } else if !Self.known.contains(where: { $0.utf8.elementsEqual(entry.name.utf8) }) {
                    strays.append("log/" + Quoting.quoted(entry.name))
                }
            }
            for entry in try log.bucket.list(.checkpoints) {
                if let name = CheckpointName(entry.name) {
                    checkpoints[name.number, default: []].append(name)
                } else {
                    strays.append("log/checkpoints/" + Quoting.quoted(entry.name))
                }
            }
        } catch { throw .storage(error) }
        entries.sort()
        strays.sort()
    }
}

/// One pass over a log.
private struct Pass {
    let log: Log
    let hint: TipHint?
    let listing: Listing
    var findings: [Finding] = []
    var state: State?
    var entryCount = 0
    private var isFolding = true
    /// The hash of the entry before, when that could be read.
    private var previous: ObjectID?
    private var hintedHash: ObjectID?
    /// Where in ``findings`` the damage of an entry is, and the refs that it touches.
    private var damage: [Int: (index: Int, refs: Set<RefName>)] = [:]

    init(log: Log, hint: TipHint?, listing: Listing) {
        self.log = log
        self.hint = hint
        self.listing = listing
    }

    // MARK: Entries

    mutating func readEntries() throws(RefError) {
        var number = 0
        var position = 0
        while true {
            let entry: LogEntry?
            do throws(RefError) {
                entry = try log.readEntry(number)
            } catch .damaged(_, let reason) {
                report(number, reason)
                (isFolding, previous) = (false, nil)
                number += 1
                entryCount += 1
                continue
            } catch { throw error }
            if let entry {
                check(entry)
                entryCount += 1
            } else {
                // A log that grows meanwhile ends where nothing follows.
                while position < listing.entries.count, listing.entries[position] < number {
                    position += 1
                }
                guard position < listing.entries.count else {
                    // A hint that claims far too much must not keep us here.
                    if let hint, number <= hint.number {
                        report(number, "it is missing: the hint has seen \(hint.number)")
                    }
                    break
                }
                let next = listing.entries[position]
                guard next > number else { break }
                report(
                    number,
                    next == number + 1
                        ? "it is missing" : "it is missing, as are all up to \(next - 1)")
                (isFolding, previous) = (false, nil)
                number = next - 1
            }
            number += 1
        }
        for (_, item) in damage {
            let old = findings[item.index]
            findings[item.index] = Finding(
                problem: old.problem, place: old.place, affects: item.refs.sorted().map(\.text))
        }
    }

    private mutating func check(_ entry: LogEntry) {
        if let hint, hint.number == entry.number { hintedHash = entry.hash }
        for case .ref(let name, _, _, let since) in entry.actions {
            if let since { damage[since]?.refs.insert(name) }
        }
        if isFolding {
            do throws(RefError) {
                try fold(entry)
            } catch {
                isFolding = false
                if case .damaged(_, let reason) = error {
                    report(entry.number, reason, entry)
                } else {
                    report(entry.number, error.message, entry)
                }
            }
        } else if let previous, entry.previous != previous {
            report(entry.number, "prev is not the hash of entry \(entry.number - 1)", entry)
        }
        previous = entry.hash
    }

    private mutating func fold(_ entry: LogEntry) throws(RefError) {
        if entry.number == 0 {
            state = try State(first: entry)
        } else {
            try state?.apply(entry)
        }
        checkCheckpoints()
    }

    private mutating func report(_ number: Int, _ problem: String, _ entry: LogEntry? = nil) {
        if damage[number] == nil {
            damage[number] = (findings.count, Set(entry?.changes.map(\.name) ?? []))
        }
        findings.append(Finding(problem: problem, place: LogFile.place(of: number)))
    }

    // MARK: Caches

    private mutating func checkCheckpoints() {
        guard let state, let names = listing.checkpoints[state.number],
            let bytes = try? Checkpoint.encode(state)
        else { return }
        let expected = CheckpointName(number: state.number, hash: ObjectID(of: bytes.span))
        for name in names where log.isThere(name) {
            if name != expected {
                findings.append(
                    Finding(problem: "it contradicts the log", place: name.blob.description))
            } else if log.read(name) == nil {
                findings.append(
                    Finding(problem: "it is unreadable", place: name.blob.description))
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
            if try log.hasHint() {
                findings.append(Finding(problem: "it is unreadable and is ignored", place: place))
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
    fileprivate func isThere(_ name: CheckpointName) -> Bool {
        // What was removed since it was listed is no damage.
        if case .some(.none) = try? bucket.open(name.blob) { return false }
        return true
    }

    fileprivate func hasHint() throws(RefError) -> Bool {
        do throws(StorageError) {
            return try bucket.open(LogFile.tip) != nil
        } catch {
            if case .damaged = error { return true }
            throw .storage(error)
        }
    }
}
