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

    /// Repairs what can be, and says what was done.
    func run() throws(RefError) -> [String] {
        var done = try restoreFromSpares()
        for copy in copies {
            let findings = try LogVerifier(log).verify().findings
            guard findings.contains(where: { !Self.isCheckpoint($0.place) }) else { break }
            done += try restore(from: copy)
        }
        let report = try LogVerifier(log).verify()
        let areCaches = report.findings.allSatisfy {
            Self.isCheckpoint($0.place) || $0.place.utf8.elementsEqual(Self.tip.utf8)
        }
        guard let state = report.state, areCaches else { return done }
        if report.isHintTorn {
            do throws(StorageError) { done += try remakeHint(state) } catch {
                throw .storage(error)
            }
        }
        return try done + remakeCaches(report.findings, state)
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

    private func restore(from copy: Log) throws(RefError) -> [String] {
        guard let other = try? LogVerifier(copy).verify(), let state = other.state,
            other.findings.allSatisfy({
                Self.isCheckpoint($0.place) || $0.place.utf8.elementsEqual(Self.tip.utf8)
            })
        else { return [] }
        let listing = try LogListing(log)
        let hint = try log.readHint()
        let remembered = log.trust.memory?.recall()
            .flatMap { $0.repositoryID == state.repositoryID ? $0 : nil }
        let end = max(
            listing.ranges.map(\.upperBound).max() ?? 0, hint?.number ?? 0, remembered?.number ?? 0)
        let last = min(end, state.number)
        var reader = copy.entries()
        var own = OwnEntries(log, listing)
        var wrong: [Int] = []
        var agreed = 0
        var doubtful: ObjectID?
        // What would be restored as the entry before, and how far what is here vouches for the copy.
        var restored: ObjectID?
        var vouched = -1
        for number in 0...last {
            guard let file = try? reader.file(number), let theirs = try? file.decoded() else {
                return []
            }
            // What was seen of an entry that is missing here tells one history from another.
            if let remembered, remembered.number == number {
                guard remembered.entryHash == theirs.hash else { return [] }
                vouched = number
            }
            let mine = own.read(number)
            if mine == nil, let hint, hint.number == number {
                guard hint.entryHash == theirs.hash else { return [] }
                vouched = number
            }
            let entry = mine.flatMap { try? LogEntry(decoding: $0, number: number) }
            if let before = restored, let entry {
                guard entry.previous == before else { return [] }
                vouched = number - 1
            }
            restored = nil
            // An entry that reads well and says something else is wrong only if what follows it says so.
            if let doubted = doubtful {
                guard entry?.previous == doubted else { return [] }
                doubtful = nil
            }
            if mine == file.bytes {
                (agreed, vouched) = (agreed + 1, number)
                continue
            }
            if let entry, entry.hash != theirs.hash {
                if hint?.number != number || hint?.entryHash != theirs.hash {
                    doubtful = theirs.hash
                }
            }
            wrong.append(number)
            restored = theirs.hash
        }
        guard agreed > 0, doubtful == nil else { return [] }
        if end > last {
            // The copy ends earlier: where nothing that is here follows, it may be another history.
            if let before = restored,
                let next = own.read(last + 1).flatMap({
                    try? LogEntry(decoding: $0, number: last + 1)
                })
            {
                guard next.previous == before else { return [] }
                vouched = last
            }
            wrong.removeAll { $0 > vouched }
        }
        return try write(wrong, listing, last, &reader, copy)
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
