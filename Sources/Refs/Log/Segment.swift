internal import Objects
internal import Storage

/// Entries gathered in one file: their files' bytes one after the other, then a line for each that says where it
/// begins, as ten decimal digits.
///
/// Equal entries make equal segments, so it does not matter who gathers them, or how often.
package struct Segment {
    let name: SegmentName
    private let bytes: [UInt8]
    /// Where each entry begins, and where the last one ends.
    private let offsets: [Int]

    private static let digits = 10
    /// The length of a line of the index.
    static let lineLength = digits + 1
    /// The most bytes that a segment may have: 64 entries of the largest size, and their index. More than 64 are
    /// not gathered in one file when they do not fit.
    static let byteLimit = 65 << 20

    /// The bytes of a segment of entries, which are given as their files' bytes.
    package static func encode(_ entries: [[UInt8]]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(entries.reduce(0) { $0 + $1.count + lineLength })
        for entry in entries { bytes += entry }
        var offset = 0
        for entry in entries {
            let text = String(offset)
            bytes += repeatElement(0x30, count: digits - text.utf8.count)
            bytes += text.utf8
            bytes.append(0x0A)
            offset += entry.count
        }
        return bytes
    }

    /// Reads a whole segment's index; what the entries are is checked when they are read.
    ///
    /// - Throws: `damaged` naming the segment.
    init(_ bytes: [UInt8], name: SegmentName) throws(RefError) {
        let end = bytes.count - name.count * Self.lineLength
        guard end >= 0 else { throw Self.damagedIndex(of: name) }
        var offsets: [Int] = []
        offsets.reserveCapacity(name.count + 1)
        for index in 0..<name.count {
            let start = end + index * Self.lineLength
            guard let offset = Self.offset(bytes[start..<(start + Self.lineLength)]),
                index == 0 ? offset == 0 : offset > (offsets.last ?? 0), offset < end
            else { throw Self.damagedIndex(of: name) }
            offsets.append(offset)
        }
        self.name = name
        self.bytes = bytes
        self.offsets = offsets + [end]
    }

    /// The file of an entry, byte for byte.
    package func file(of number: Int) -> [UInt8] {
        let index = number - name.first
        return Array(bytes[offsets[index]..<offsets[index + 1]])
    }

    /// Reads the file of one entry and not the whole segment.
    ///
    /// - Throws: `damaged` when the index is not readable at that place; `storage`.
    static func file(
        of number: Int, in blob: any Blob, _ name: SegmentName
    ) throws(RefError) -> [UInt8] {
        let index = number - name.first
        let end = blob.size - name.count * lineLength
        let isLast = number == name.last
        guard end >= 0 else { throw damagedIndex(of: name) }
        do {
            let lines = try blob.read(
                at: end + index * lineLength, count: isLast ? lineLength : 2 * lineLength)
            guard let start = offset(lines[..<lineLength]),
                let stop = isLast ? end : offset(lines[lineLength...]),
                start < stop, stop <= end, stop - start <= LogEntry.byteLimit
            else { throw damagedIndex(of: name) }
            return try blob.read(at: start, count: stop - start)
        } catch let error as StorageError {
            throw .storage(error)
        } catch let error as RefError {
            throw error
        } catch { throw damagedIndex(of: name) }
    }

    private static func offset(_ line: ArraySlice<UInt8>) -> Int? {
        guard line.last == 0x0A else { return nil }
        return LogFile.number(line.dropLast())
    }

    private static func damagedIndex(of name: SegmentName) -> RefError {
        .damaged(place: name.place, reason: "its index is unreadable")
    }
}

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
