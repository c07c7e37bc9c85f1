internal import Objects
internal import Storage

/// Old entries are gathered in segments, so that a long log is few files.
extension Log {
    /// How far behind the newest entry an entry is when it is gathered: who is not long behind never meets it.
    static let gatheringDistance = 64
    /// The most entries that are gathered after one transaction.
    private static let gatheringLimit = 1024

    /// Gathers old entries when the writer of this entry is the one to do it. Nothing depends on it.
    func gatherIfDue(_ state: State) {
        guard state.number % SegmentName.smallest == 0, state.number > 0 else { return }
        _ = try? gather(upTo: state.number, limit: Self.gatheringLimit)
    }

    /// Gathers all entries that are old enough, and removes the files that segments replace.
    ///
    /// Safe beside readers and writers, and harmless wherever it is interrupted: a file goes when the segment that
    /// holds the same bytes is durable.
    ///
    /// - Returns: The number of files that are gone.
    /// - Throws: `damaged` when entries are not linked as they must be; `storage`.
    @discardableResult
    public func gather(upTo state: State) throws(RefError) -> Int {
        try gather(upTo: state.number, limit: .max)
    }

    private func gather(upTo tip: Int, limit: Int) throws(RefError) -> Int {
        var removed = 0
        var room = limit
        let listing = try LogListing(self)
        for name in listing.segmentsToMake(upTo: tip - Self.gatheringDistance) where room > 0 {
            try make(name)
            room -= name.count
        }
        // Also what those who were interrupted left.
        let made = try LogListing(self)
        for (name, files) in made.replaced where try isSound(name) {
            do throws(StorageError) {
                // Whoever made it may not have come to this.
                try bucket.synchronizeLog()
                for file in files {
                    try bucket.delete(file)
                    removed += 1
                }
            } catch { throw .storage(error) }
        }
        return removed
    }

    private func make(_ name: SegmentName) throws(RefError) {
        let bytes = try gathered(name)
        do throws(StorageError) {
            _ = try bucket.create(name.blob, bytes)
        } catch { throw .storage(error) }
    }

    /// What a segment of entries is to have: they and the entries around them are one chain.
    package func gathered(_ name: SegmentName) throws(RefError) -> [UInt8] {
        var reader = entries()
        var files: [[UInt8]] = []
        var previous = try name.first == 0 ? nil : reader.entry(name.first - 1).hash
        for number in name.first...(name.last + 1) {
            guard let (file, entry) = try reader.sound(number) else { throw .noTransaction(number) }
            guard entry.previous == previous else {
                throw .damaged(
                    place: file.place, reason: "prev is not the hash of entry \(number - 1)")
            }
            previous = entry.hash
            if number <= name.last { files.append(file.bytes) }
        }
        return Segment.encode(files)
    }

    /// Whether every entry of a segment can be read, and they follow one another and what is before them, and what is
    /// after them follows them.
    package func isSound(_ name: SegmentName) throws(RefError) -> Bool {
        do throws(RefError) {
            guard let blob = try openSegment(name) else { return false }
            let segment = try load(name, blob)
            var reader = entries()
            var previous = try name.first == 0 ? nil : reader.find(name.first - 1)?.hash
            for result in EntrySpan(segment, from: name.first).decoded() {
                let entry = try result.get()
                guard entry.previous == previous else { return false }
                previous = entry.hash
            }
            guard let next = try reader.find(name.last + 1) else { return true }
            return next.previous == previous
        } catch .damaged { return false }
    }
}
