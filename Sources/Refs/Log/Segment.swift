internal import Objects
internal import Storage

/// Many entries in one file: the bytes of their single files one after the other, then a line for each entry with the
/// offset of its first byte in ten decimal digits.
///
/// Equal entries make equal segments, so several writers may gather the same entries.
package struct Segment {
    let name: SegmentName
    private let bytes: [UInt8]
    /// The offset of each entry, and the end of the last one.
    private let offsets: [Int]

    private static let digits = 10
    /// The length of a line of the index.
    static let lineLength = digits + 1
    /// The most bytes that a segment may have: 64 entries of the largest size, and their index. A segment of 1,024 is
    /// created only when it fits.
    static let byteLimit = 65 << 20

    /// The bytes of a segment, from the bytes of single files.
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

    /// Parses the index of a whole segment; entries are checked when they are read.
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

    /// Reads the file of one entry without the rest of the segment.
    ///
    /// - Throws: `damaged` when the index lines of the entry are unreadable; `storage`.
    static func file(
        of number: Int, in blob: any Blob, _ name: SegmentName
    ) throws(RefError) -> [UInt8] {
        let index = number - name.first
        let end = blob.size - name.count * lineLength
        let isLast = number == name.last
        guard end >= 0 else { throw damagedIndex(of: name) }
        let lines = try wrapping(
            blob.read(at: end + index * lineLength, count: isLast ? lineLength : 2 * lineLength),
            as: RefError.storage)
        guard let start = offset(lines[..<lineLength]),
            let stop = isLast ? end : offset(lines[lineLength...]),
            start < stop, stop <= end, stop - start <= LogEntry.byteLimit
        else { throw damagedIndex(of: name) }
        return try wrapping(blob.read(at: start, count: stop - start), as: RefError.storage)
    }

    private static func offset(_ line: ArraySlice<UInt8>) -> Int? {
        guard line.last == 0x0A else { return nil }
        return LogFile.number(line.dropLast())
    }

    private static func damagedIndex(of name: SegmentName) -> RefError {
        .damaged(place: name.place, reason: "its index is unreadable")
    }
}

/// Gathers old entries in segments, so that a long log needs few files.
extension Log {
    /// How many entries behind the newest one an entry must be to be gathered, so that readers that follow the log do
    /// not see it move.
    static let gatheringDistance = 64
    /// The maximum number of entries that are gathered after one transaction.
    private static let gatheringLimit = 1024

    /// Gathers old entries after every ``SegmentName/smallest`` entries. Failures are ignored: nothing
    /// depends on gathering.
    func gatherIfDue(_ state: State) {
        guard state.number % SegmentName.smallest == 0, state.number > 0 else { return }
        _ = try? gather(upTo: state.number, limit: Self.gatheringLimit)
    }

    /// Gathers all entries that are old enough, and deletes the files that segments replace.
    ///
    /// Safe while others read and write, and wherever it is interrupted: a file is deleted only when the segment that
    /// replaces it is sound and durable.
    ///
    /// - Returns: The number of deleted files.
    /// - Throws: `damaged` when entries are not linked; `noTransaction` when one is missing; `storage`.
    @discardableResult
    public func gather(upTo state: State) throws(RefError) -> Int {
        try gather(upTo: state.number, limit: .max)
    }

    private func gather(upTo tip: Int, limit: Int) throws(RefError) -> Int {
        var removed = 0
        var room = limit
        let listing = try LogListing(self)
        for name in listing.segmentsToMake(upTo: tip - Self.gatheringDistance) where room > 0 {
            let bytes = try gathered(name)
            _ = try wrapping(bucket.create(name.blob, bytes), as: RefError.storage)
            room -= name.count
        }
        // Includes what interrupted writers left behind.
        for (name, files) in try LogListing(self).replaced where try isSound(name) {
            // The creator of the segment may have crashed before syncing.
            try makeDurable()
            for file in files { try wrapping(bucket.delete(file), as: RefError.storage) }
            removed += files.count
        }
        return removed
    }

    /// Makes the bytes of a segment, and checks that its entries are linked to each other and to their neighbors.
    ///
    /// - Throws: As ``gather(upTo:)``.
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

    /// Whether every entry of a segment is readable, and all are linked to each other and to their neighbors.
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
