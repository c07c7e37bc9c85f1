internal import Objects
internal import Refs
internal import Storage

/// Restores the log's files from copies, and makes its caches anew.
///
/// A copy counts when its own log is sound and it is the same history: whatever can be read here says the same there.
struct LogRepair {
    private let log: Log
    private let copies: [Log]

    init(_ log: Log, copies: [Log]) {
        self.log = log
        self.copies = copies
    }

    /// What a repair of the log did.
    struct Outcome {
        /// What was done, a sentence for each file.
        var done: [String] = []
        /// Copies of which nothing was taken, and why.
        var refused: [String] = []
    }

    /// Repairs what can be.
    func run() throws(RefError) -> Outcome {
        var outcome = Outcome()
        outcome.done = try restoreFromSpares()
        for copy in copies {
            let findings = try LogVerifier(log).verify().findings
            guard findings.contains(where: { !Self.isCheckpoint($0.place) }) else { break }
            switch try restore(from: copy) {
            case .success(let done): outcome.done += done
            case .failure(let refusal):
                outcome.refused.append("\(copy.bucket.location): \(refusal)")
            }
        }
        let report = try LogVerifier(log).verify()
        let areCaches = report.findings.allSatisfy {
            Self.isCheckpoint($0.place) || $0.place.utf8.elementsEqual(Self.tip.utf8)
        }
        guard let state = report.state, areCaches else { return outcome }
        if report.isHintTorn {
            do throws(StorageError) { outcome.done += try remakeHint(state) } catch {
                throw .storage(error)
            }
        }
        outcome.done += try remakeCaches(report.findings, state)
        return outcome
    }

    private static let tip = LogFile.tip.description
    private static let folder = BucketFolder.checkpoints.rawValue + "/"

    private static func isCheckpoint(_ place: String) -> Bool {
        place.utf8.starts(with: folder.utf8)
    }

    // MARK: Caches

    private func remakeCaches(_ findings: [Finding], _ state: State) throws(RefError) -> [String] {
        var done: [String] = []
        do throws(StorageError) {
            for finding in findings {
                if finding.place.utf8.elementsEqual(Self.tip.utf8) {
                    // One that can be read and says otherwise is evidence, and no cache.
                    guard try hint() == nil else { continue }
                    done += try remakeHint(state)
                } else {
                    let text = String(finding.place.utf8.dropFirst(Self.folder.utf8.count)) ?? ""
                    guard let name = CheckpointName(text), name.number <= state.number else {
                        continue
                    }
                    guard try delete(name.blob) else { continue }
                    try log.bucket.synchronize(name.blob.folder)
                    done.append("\(finding.place): removed; the next one is made by itself")
                }
            }
        } catch { throw .storage(error) }
        return done
    }

    private func remakeHint(_ state: State) throws(StorageError) -> [String] {
        let hint = TipHint(number: state.number, entryHash: state.entryHash, checkpoint: nil)
        do throws(StorageError) { try log.bucket.overwrite(LogFile.tip, hint.encoded) } catch {
            if error.isNoFile { return [] }
            throw error
        }
        return ["\(Self.tip): made anew"]
    }

    private func delete(_ name: BlobName) throws(StorageError) -> Bool {
        do throws(StorageError) { try log.bucket.delete(name) } catch {
            if error.isNoFile { return false }
            throw error
        }
        return true
    }

    private func hint() throws(StorageError) -> TipHint? {
        do throws(RefError) { return try log.readHint() } catch { return nil }
    }

    // MARK: Entries

    /// Puts damaged segments together anew of the files that they have replaced, where these are still there.
    private func restoreFromSpares() throws(RefError) -> [String] {
        var done: [String] = []
        let names = try LogListing(log).segments.keys.sorted { $0.first < $1.first }
        for name in names where try !log.isSound(name) {
            guard let bytes = try? log.gathered(name) else { continue }
            do { guard try replace(name.blob, bytes) else { continue } } catch {
                throw .storage(error)
            }
            done.append("\(name.place): put together anew")
        }
        return done
    }

    /// Restores what a copy has right and this log has not.
    ///
    /// - Returns: What was done, or why nothing was.
    private func restore(
        from copy: Log
    ) throws(RefError) -> Result<[String], HistoryComparison.Refusal> {
        guard let other = try? LogVerifier(copy).verify(), let state = other.state,
            other.findings.allSatisfy({
                Self.isCheckpoint($0.place) || $0.place.utf8.elementsEqual(Self.tip.utf8)
            })
        else { return .failure(.unsound) }
        let listing = try LogListing(log)
        let hint = try log.readHint()
        let remembered = log.trust.memory?.recall()
            .flatMap { $0.repositoryID == state.repositoryID ? $0 : nil }
        let end = max(
            listing.ranges.map(\.upperBound).max() ?? 0, hint?.number ?? 0, remembered?.number ?? 0)
        let last = min(end, state.number)
        var reader = copy.entries()
        var own = OwnEntries(log, listing)
        var comparison = HistoryComparison(
            hint: hint.map { .init(number: $0.number, hash: $0.entryHash) },
            remembered: remembered.map { .init(number: $0.number, hash: $0.entryHash) })
        do throws(HistoryComparison.Refusal) {
            for number in 0...last {
                guard let file = try? reader.file(number), let theirs = try? file.decoded() else {
                    throw .unreadable(number)
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
        var made: Set<SegmentName> = []
        for number in wrong {
            let segment = listing.segment(holding: number)
            if let segment {
                guard segment.last <= last, made.insert(segment).inserted else { continue }
            }
            var files: [[UInt8]] = []
            for each in segment?.numbers ?? number...number {
                guard let file = try reader.file(each) else { throw .noTransaction(each) }
                files.append(file.bytes)
            }
            let name = segment?.blob ?? LogFile.entry(number)
            let isThere = segment != nil || listing.singles[number] != nil
            do throws(StorageError) {
                if let segment {
                    guard try replace(segment.blob, Segment.encode(files)) else { continue }
                } else if isThere {
                    guard try replace(name, files[0]) else { continue }
                } else if try log.bucket.create(name, files[0]) == .exists {
                    continue
                }
            } catch { throw .storage(error) }
            done.append("\(name): restored from \(copy.bucket.location)")
        }
        return done
    }

    /// Replaces a file; false where something stands that no file can take the place of.
    private func replace(_ name: BlobName, _ bytes: [UInt8]) throws(StorageError) -> Bool {
        do throws(StorageError) {
            let staged = try log.bucket.stage(in: name.folder)
            _ = try staged.append(bytes)
            try staged.replace(name)
            return true
        } catch {
            if error.isNoFile { return false }
            throw error
        }
    }
}

/// The bytes of a log's entries, as far as they can be read.
private struct OwnEntries {
    private let log: Log
    private let listing: LogListing
    private var loaded: (name: SegmentName, segment: Segment?)?

    init(_ log: Log, _ listing: LogListing) {
        self.log = log
        self.listing = listing
    }

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
