internal import Objects
internal import Refs
internal import Storage

/// Restores the files of a log from copies, and rebuilds its caches.
///
/// A copy is used only when its own log is sound, except for its caches, and both logs have the same history
/// (``HistoryComparison``).
struct LogRepair {
    let log: Log
    let copies: [Log]

    /// The result of a repair of the log.
    struct Outcome {
        /// What was done: a sentence for each file.
        var done: [String] = []
        /// The copies that were not used, and why.
        var refused: [String] = []
    }

    func run() throws(RefError) -> Outcome {
        var outcome = Outcome(done: try restoreFromSpares())
        for copy in copies {
            let findings = try LogVerifier(log).verify().findings
            guard findings.contains(where: { !$0.place.isCheckpoint }) else { break }
            switch try restore(from: copy) {
            case .success(let done): outcome.done += done
            case .failure(let refusal):
                outcome.refused.append("\(copy.bucket.location): \(refusal.reason)")
            }
        }
        let report = try LogVerifier(log).verify()
        guard let state = report.state, report.findings.allSatisfy(\.place.isLogCache) else {
            return outcome
        }
        if report.isHintTorn { outcome.done += try rebuildHint(state) }
        for finding in report.findings {
            outcome.done += try rebuildCache(at: finding.place, state)
        }
        return outcome
    }

    // MARK: Caches

    private func rebuildCache(at place: Finding.Place, _ state: State) throws(RefError) -> [String]
    {
        switch place {
        case .hint:
            // A readable hint that contradicts the log is evidence, not a cache.
            return (try? log.readHint()) == nil ? try rebuildHint(state) : []
        case .checkpoint(let name, let number) where number <= state.number:
            let isDeleted = try wrapping(as: RefError.storage) { () throws(StorageError) in
                guard try log.bucket.deleteFile(name) else { return false }
                try log.bucket.synchronize(name.folder)
                return true
            }
            return isDeleted ? ["\(place): removed; a later transaction writes the next one"] : []
        default: return []
        }
    }

    private func rebuildHint(_ state: State) throws(RefError) -> [String] {
        let hint = TipHint(number: state.number, entryHash: state.entryHash, checkpoint: nil)
        let isWritten = try wrapping(as: RefError.storage) { () throws(StorageError) in
            try log.bucket.unlessDirectory { () throws(StorageError) in
                try log.bucket.overwrite(LogFile.tip, hint.encoded)
            }
        }
        return isWritten ? ["\(LogFile.tip): rebuilt"] : []
    }

    // MARK: Entries

    /// Rebuilds damaged segments from the files that they have replaced, as far as these exist.
    private func restoreFromSpares() throws(RefError) -> [String] {
        var done: [String] = []
        let names = try LogListing(log).segments.keys.sorted { $0.first < $1.first }
        for name in names where try !log.isSound(name) {
            guard let bytes = try? log.gathered(name), try replace(name.blob, bytes) else {
                continue
            }
            done.append("\(name.place): rebuilt")
        }
        return done
    }

    /// Restores the entries that are wrong in this log and right in a copy.
    ///
    /// - Returns: What was done, or why the copy was not used.
    private func restore(
        from copy: Log
    ) throws(RefError) -> Result<[String], HistoryComparison.Refusal> {
        guard let other = try? LogVerifier(copy).verify(), let state = other.state,
            other.findings.allSatisfy(\.place.isLogCache)
        else { return .failure(HistoryComparison.Refusal("its own log is damaged")) }
        let listing = try LogListing(log)
        let hint = try log.readHint()
        let remembered = log.trust.memory?.recall()
            .flatMap { $0.repositoryID == state.repositoryID ? $0 : nil }
        let end = max(
            listing.ranges.map(\.upperBound).max() ?? 0, hint?.number ?? 0, remembered?.number ?? 0)
        let last = min(end, state.number)
        var reader = copy.entries()
        var own = OwnEntries(log: log, listing: listing)
        var comparison = HistoryComparison(
            hint: hint.map { .init(number: $0.number, hash: $0.entryHash) },
            remembered: remembered.map { .init(number: $0.number, hash: $0.entryHash) })
        do throws(HistoryComparison.Refusal) {
            for number in 0...last {
                guard let file = try? reader.file(number), let theirs = try? file.decoded() else {
                    throw HistoryComparison.Refusal("its transaction \(number) is unreadable")
                }
                try comparison.compare(number, mine: own.read(number), with: file.bytes, theirs)
            }
            let next = end > last ? own.read(last + 1) : nil
            try comparison.finish(
                next: next.flatMap { try? LogEntry(decoding: $0, number: last + 1) }, last + 1,
                goesOn: end > last)
        } catch { return .failure(error) }
        return .success(try write(comparison.wrong, listing, last, &reader, copy))
    }

    private func write(
        _ wrong: [Int], _ listing: LogListing, _ last: Int, _ reader: inout EntryReader, _ copy: Log
    ) throws(RefError) -> [String] {
        var done: [String] = []
        var written: Set<SegmentName> = []
        for number in wrong {
            let segment = listing.segment(holding: number)
            if let segment {
                guard segment.last <= last, written.insert(segment).inserted else { continue }
            }
            var files: [[UInt8]] = []
            for each in segment?.numbers ?? number...number {
                guard let file = try reader.file(each) else { throw .noTransaction(each) }
                files.append(file.bytes)
            }
            let name = segment?.blob ?? LogFile.entry(number)
            let isWritten: Bool
            if segment != nil {
                isWritten = try replace(name, Segment.encode(files))
            } else if listing.singles[number] != nil {
                isWritten = try replace(name, files[0])
            } else {
                isWritten = try wrapping(
                    log.bucket.create(name, files[0]) == .created, as: RefError.storage)
            }
            if isWritten { done.append("\(name): restored from \(copy.bucket.location)") }
        }
        return done
    }

    /// Replaces a file; returns false for a directory of that name.
    private func replace(_ name: BlobName, _ bytes: [UInt8]) throws(RefError) -> Bool {
        try wrapping(log.bucket.replaceFile(name, bytes), as: RefError.storage)
    }
}

/// Reads the entries of a damaged log as far as possible.
private struct OwnEntries {
    let log: Log
    let listing: LogListing
    var loaded: (name: SegmentName, segment: Segment?)?

    mutating func read(_ number: Int) -> [UInt8]? {
        guard let name = listing.segment(holding: number) else {
            return (try? log.readSingle(number).get()) ?? nil
        }
        if loaded?.name != name {
            let blob = (try? log.openSegment(name)) ?? nil
            loaded = (name, blob.flatMap { try? log.load(name, $0) })
        }
        return loaded?.segment?.file(of: number)
    }
}

/// Compares a damaged log with a copy, entry by entry, and finds the entries to restore.
///
/// A copy may have another history: a fork, or one that ends earlier. Every entry that is readable here must be the
/// same there, unless the hint or the next entry here names the copy's instead. For an entry that is unreadable here,
/// something readable must vouch: the hint, the client's memory, or a later entry that names its predecessor.
struct HistoryComparison {
    /// Why a copy is not used.
    struct Refusal: Error {
        let reason: String

        init(_ reason: String) { self.reason = reason }
    }

    /// A transaction and its hash, known from outside the log.
    struct Witness {
        let number: Int
        let hash: ObjectID
    }

    let hint: Witness?
    let remembered: Witness?
    /// The entries that are wrong in this log and right in the copy.
    fileprivate var wrong: [Int] = []
    /// The last entry for which something here vouches.
    fileprivate var vouched = -1
    fileprivate var agreed = 0
    /// An entry that is readable here and differs: it is wrong only if the next entry shows it.
    fileprivate var doubtful: Witness?
    /// The hash of the preceding entry if that one is to be restored; nil when it is right.
    fileprivate var restored: ObjectID?

    /// Compares the next entry.
    ///
    /// - Parameters:
    ///   - mine: The bytes here; nil when they are unreadable.
    ///   - file: The copy's bytes, and `theirs` the entry in them.
    mutating func compare(
        _ number: Int, mine: [UInt8]?, with file: [UInt8], _ theirs: LogEntry
    ) throws(Refusal) {
        // The client's memory tells histories apart; so does the hint, if its entry is unreadable here.
        if let remembered, remembered.number == number {
            guard remembered.hash == theirs.hash else {
                throw Refusal("its transaction \(number) is not the one that this client has seen")
            }
            vouched = number
        }
        if mine == nil, let hint, hint.number == number {
            guard hint.hash == theirs.hash else {
                throw Refusal("its transaction \(number) is not the one that log/tip names")
            }
            vouched = number
        }
        let entry = mine.flatMap { try? LogEntry(decoding: $0, number: number) }
        try check(successor: entry, number)
        if let doubted = doubtful {
            guard entry?.previous == doubted.hash else { throw differs(doubted.number) }
            doubtful = nil
        }
        if mine == file {
            (agreed, vouched) = (agreed + 1, number)
            return
        }
        let isHinted = hint?.number == number && hint?.hash == theirs.hash
        if let entry, entry.hash != theirs.hash, !isHinted {
            doubtful = Witness(number: number, hash: theirs.hash)
        }
        wrong.append(number)
        restored = theirs.hash
    }

    /// Ends the comparison, with the next entry here if this log goes on after the end of the copy.
    mutating func finish(next: LogEntry?, _ number: Int, goesOn: Bool) throws(Refusal) {
        if let doubtful { throw differs(doubtful.number) }
        guard agreed > 0 else { throw Refusal("it has no transaction in common with this log") }
        guard goesOn else { return }
        // Without a following entry here, the copy's last entries may belong to another history.
        try check(successor: next, number)
        let (vouched, isWrong) = (vouched, !wrong.isEmpty)
        wrong.removeAll { $0 > vouched }
        if isWrong, wrong.isEmpty {
            throw Refusal(
                "it ends with transaction \(number - 1), and nothing here shows that it has the same "
                    + "history")
        }
    }

    /// Checks that an entry that is readable here follows the entry that would be restored before it.
    private mutating func check(successor entry: LogEntry?, _ number: Int) throws(Refusal) {
        if let before = restored, let entry {
            guard entry.previous == before else {
                throw Refusal(
                    "transaction \(number) here does not follow the transaction before it in the copy"
                )
            }
            vouched = number - 1
        }
        restored = nil
    }

    private func differs(_ number: Int) -> Refusal {
        Refusal("its transaction \(number) differs from the one here, which may be right")
    }
}
