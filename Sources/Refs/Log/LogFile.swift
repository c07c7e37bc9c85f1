package import Objects
package import Storage

/// The names of the files of a log.
package enum LogFile {
    /// The number of digits of an entry's number: enough for any 64-bit number.
    static let digits = 20

    /// The hint, which names the newest entry that a writer knew to be durable.
    package static let tip = BlobName(.log, "tip")

    /// A file that reserves room for an entry: a collection that finds the disk full deletes it.
    package static let reserve = BlobName(.log, "reserve")
    /// The contents of ``reserve``: room for an entry of ordinary size and the file system's own blocks.
    package static let reserveBytes = [UInt8](repeating: 0, count: 256 << 10)

    package static func entry(_ number: Int) -> BlobName {
        BlobName(.log, padded(number) + ".json")
    }

    /// The path of an entry, for messages.
    package static func place(of number: Int) -> String { entry(number).description }

    /// The number of the entry that a file name stands for; nil when it is not the name of an entry.
    static func number(ofEntry name: String) -> Int? {
        let bytes = Array(name.utf8)
        guard bytes.count == digits + 5, bytes.suffix(5).elementsEqual(".json".utf8) else {
            return nil
        }
        return number(bytes[..<digits])
    }

    static func padded(_ number: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
    }

    /// Parses decimal digits with any leading zeros; nil for anything else, and for a number that no entry can have.
    static func number(_ bytes: some Collection<UInt8>) -> Int? {
        guard bytes.allSatisfy(\.isDigit), let value = Int(String(decoding: bytes, as: UTF8.self))
        else { return nil }
        return value < JSON.largestInteger ? value : nil
    }
}

/// The name of a segment: `log/FIRST-LAST.segment`.
///
/// A segment of 64 begins at a multiple of 64 and one of 1,024 at a multiple of 1,024, so the number of an entry
/// determines which segments can hold it.
package struct SegmentName: Hashable {
    package let first: Int
    let count: Int

    /// How many entries segments hold: 64, so that few single files remain; then 1,024, so that a million transactions
    /// take about a thousand files.
    package static let sizes = [smallest, largest]
    static let smallest = 64
    /// The maximum number of entries in a segment.
    package static let largest = 1024

    /// The segment of `count` entries that would hold an entry.
    package init(of count: Int, holding number: Int) {
        first = number / count * count
        self.count = count
    }

    /// The segments that can hold an entry, the smallest first.
    static func all(holding number: Int) -> [SegmentName] {
        sizes.map { SegmentName(of: $0, holding: number) }
    }

    /// Parses a file name; nil when it is not the name of a segment.
    init?(_ name: String) {
        let bytes = Array(name.utf8)
        let digits = LogFile.digits
        guard bytes.count == 2 * digits + 1 + Self.suffix.utf8.count, bytes[digits] == 0x2D,
            bytes.suffix(Self.suffix.utf8.count).elementsEqual(Self.suffix.utf8),
            let first = LogFile.number(bytes[..<digits]),
            let last = LogFile.number(bytes[(digits + 1)...].prefix(digits)),
            Self.sizes.contains(last - first + 1), first % (last - first + 1) == 0
        else { return nil }
        self.first = first
        count = last - first + 1
    }

    private static let suffix = ".segment"

    package var last: Int { first + count - 1 }
    package var numbers: ClosedRange<Int> { first...last }
    package var blob: BlobName {
        BlobName(.log, LogFile.padded(first) + "-" + LogFile.padded(last) + Self.suffix)
    }
    package var place: String { blob.description }

    func holds(_ number: Int) -> Bool { numbers.contains(number) }
}

/// The name of a checkpoint: `NUMBER-SHA256.json` with the hash of its bytes, or `NUMBER-SHA256.signed.json` when an
/// admin vouches for it.
package struct CheckpointName: Hashable {
    package let number: Int
    package let hash: ObjectID
    package let isSigned: Bool

    private static let plain = ".json"
    private static let signed = ".signed.json"

    var text: String {
        "\(LogFile.padded(number))-\(hash.hex)" + (isSigned ? Self.signed : Self.plain)
    }
    package var blob: BlobName { BlobName(.checkpoints, text) }

    init(number: Int, hash: ObjectID, isSigned: Bool = false) {
        self.number = number
        self.hash = hash
        self.isSigned = isSigned
    }

    package init?(_ name: String) {
        let bytes = Array(name.utf8)
        let stem = LogFile.digits + 1 + 64
        guard bytes.count > stem, bytes[LogFile.digits] == 0x2D,
            let number = LogFile.number(bytes[..<LogFile.digits]),
            let hash = ObjectID(
                hex: String(decoding: bytes[(LogFile.digits + 1)..<stem], as: UTF8.self))
        else { return nil }
        let ending = bytes[stem...]
        let isSigned = ending.elementsEqual(Self.signed.utf8)
        guard isSigned || ending.elementsEqual(Self.plain.utf8) else { return nil }
        self.init(number: number, hash: hash, isSigned: isSigned)
    }
}

/// The names of the files in the folders of a log.
package struct LogListing {
    /// The sizes of single files, by the numbers of their entries.
    package private(set) var singles: [Int: Int] = [:]
    /// The sizes of segments.
    package private(set) var segments: [SegmentName: Int] = [:]
    package private(set) var checkpoints: [Int: [CheckpointName]] = [:]
    /// Files that do not belong to a log, sorted by path, and the folders that contain them.
    package private(set) var strays: [(folder: BucketFolder, path: String)] = []

    package var isEmpty: Bool {
        singles.isEmpty && segments.isEmpty && checkpoints.isEmpty && strays.isEmpty
    }

    /// The names of the other files that belong in `log/`.
    private static let known = ["tip", "reserve"]

    package init(_ log: Log) throws(RefError) {
        for entry in try wrapping(log.bucket.list(.log), as: RefError.storage) {
            if let number = LogFile.number(ofEntry: entry.name) {
                singles[number] = entry.size
            } else if let name = SegmentName(entry.name) {
                segments[name] = entry.size
            } else if !Self.known.contains(where: { $0.utf8.elementsEqual(entry.name.utf8) }) {
                strays.append((.log, "log/" + Quoting.quoted(entry.name)))
            }
        }
        do throws(StorageError) {
            for entry in try log.bucket.list(.checkpoints) {
                if let name = CheckpointName(entry.name) {
                    checkpoints[name.number, default: []].append(name)
                } else {
                    strays.append(
                        (.checkpoints, "log/checkpoints/" + Quoting.quoted(entry.name)))
                }
            }
        } catch {
            guard error.concernsOneFile else { throw .storage(error) }
            strays.append((.log, BucketFolder.checkpoints.rawValue))
        }
        strays.sort { $0.path < $1.path }
    }

    /// The segment from which readers take an entry; nil when the entry has only a single file or does not exist.
    package func segment(holding number: Int) -> SegmentName? {
        SegmentName.all(holding: number).first { segments[$0] != nil }
    }

    /// The ranges of numbers that files cover, ascending; they may overlap.
    package var ranges: [ClosedRange<Int>] {
        (singles.keys.map { $0...$0 } + segments.keys.map(\.numbers)).sorted {
            $0.lowerBound < $1.lowerBound
        }
    }

    /// The segments to create for the entries up to a number, in order: large ones where they fit.
    func segmentsToMake(upTo last: Int) -> [SegmentName] {
        var names: [SegmentName] = []
        var number = 0
        while number <= last {
            let large = SegmentName(of: SegmentName.largest, holding: number)
            if number == large.first, segments[large] != nil {
                number += large.count
                continue
            }
            if number == large.first, large.last <= last, fits(large) {
                names.append(large)
                number += large.count
                continue
            }
            let small = SegmentName(of: SegmentName.smallest, holding: number)
            if small.last <= last, segments[small] == nil { names.append(small) }
            number += small.count
        }
        return names
    }

    private func fits(_ name: SegmentName) -> Bool {
        var size = 0
        var number = name.first
        while number <= name.last {
            let small = SegmentName(of: SegmentName.smallest, holding: number)
            if let bytes = segments[small] {
                size += bytes
                number += small.count
            } else {
                size += (singles[number] ?? 0) + Segment.lineLength
                number += 1
            }
        }
        return size <= Segment.byteLimit
    }

    /// The files that segments replace: single files by the smallest segment that holds their entry, and segments of 64
    /// by the one of 1,024.
    var replaced: [SegmentName: [BlobName]] {
        var files: [SegmentName: [BlobName]] = [:]
        for number in singles.keys.sorted() {
            if let name = segment(holding: number) {
                files[name, default: []].append(LogFile.entry(number))
            }
        }
        for name in segments.keys where name.count < SegmentName.largest {
            let large = SegmentName(of: SegmentName.largest, holding: name.first)
            if segments[large] != nil { files[large, default: []].append(name.blob) }
        }
        return files
    }
}
