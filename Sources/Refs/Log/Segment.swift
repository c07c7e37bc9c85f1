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
