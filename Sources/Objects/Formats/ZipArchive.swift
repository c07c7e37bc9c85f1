/// The directory of a zip file, found from its end as Python's `zipfile` and PyTorch's reader find it.
struct ZipArchive {
    /// A file in it.
    struct Entry {
        let name: [UInt8]
        let method: Int
        let isEncrypted: Bool
        let compressedSize: Int
        /// Where its own header may be: the first place is what Python takes.
        let headerOffsets: [Int]
    }

    /// What stands at the beginning of a zip file.
    static let magic = Array("PK\u{3}\u{4}".utf8)
    static let headerSize = 30

    /// The entries, as many as were read.
    private(set) var entries: [Entry] = []
    /// Whether there are more than were read.
    private(set) var isCut = false

    /// More are not looked at: no model has them.
    private static let entryLimit = 1 << 14
    private static let directoryLimit = 64 << 20
    /// The most bytes from the last record to the end: a comment of 64 KiB lies between.
    private static let tailSize = 22 + (64 << 10)
    /// Records that claim to be the last one, of which readers choose differently.
    private static let candidateLimit = 16

    /// Reads the directory of an object; nil where there is none.
    init?(
        of id: ObjectID, size: Int, in source: some ObjectRangeSource
    ) throws(ObjectError) {
        let start = max(0, size - Self.tailSize)
        let tail = try source.read(id, offset: start, count: size - start)
        var found = false
        var candidates = 0
        for at in stride(from: tail.count - 22, through: 0, by: -1)
        where candidates < Self.candidateLimit && tail[at...].starts(with: "PK\u{5}\u{6}".utf8) {
            candidates += 1
            var size = Self.number(tail, at + 12, 4)
            var offset = Self.number(tail, at + 16, 4)
            var end = start + at
            if at >= 20, tail[(at - 20)...].starts(with: "PK\u{6}\u{7}".utf8) {
                // What the 64-bit record says counts; it stands right before its locator.
                let record = try source.read(id, offset: max(0, end - 76), count: 56)
                if record.count == 56, record.starts(with: "PK\u{6}\u{6}".utf8) {
                    size = Self.number(record, 40, 8)
                    offset = Self.number(record, 48, 8)
                    end -= 76
                }
            }
            // Bytes before the archive move everything in it.
            for place in Set([end - size, offset]) where size > 0 && 0...end ~= place {
                guard size <= Self.directoryLimit, size <= end - place + 1 || place == offset else {
                    isCut = true
                    continue
                }
                let directory = try source.read(
                    id, offset: place, count: min(size, start + tail.count - place))
                if take(directory, shift: place - offset) { found = true }
            }
        }
        guard found || isCut else { return nil }
    }

    /// Adds the entries of a directory; false when it begins with none.
    private mutating func take(_ directory: [UInt8], shift: Int) -> Bool {
        var at = 0
        while at + 46 <= directory.count, directory[at...].starts(with: "PK\u{1}\u{2}".utf8) {
            guard entries.count < Self.entryLimit else {
                isCut = true
                break
            }
            let nameLength = Self.number(directory, at + 28, 2)
            let extraLength = Self.number(directory, at + 30, 2)
            let next = at + 46 + nameLength + extraLength + Self.number(directory, at + 32, 2)
            guard at + 46 + nameLength + extraLength <= directory.count else { break }
            var compressed = Self.number(directory, at + 20, 4)
            var header = Self.number(directory, at + 42, 4)
            let extra = directory[(at + 46 + nameLength)..<(at + 46 + nameLength + extraLength)]
            Self.widen(
                &compressed, &header, uncompressed: Self.number(directory, at + 24, 4),
                Array(extra))
            entries.append(
                Entry(
                    name: Array(directory[(at + 46)..<(at + 46 + nameLength)]),
                    method: Self.number(directory, at + 10, 2),
                    isEncrypted: directory[at + 8] & 1 == 1, compressedSize: compressed,
                    headerOffsets: shift == 0 ? [header] : [header &+ shift, header]))
            at = next
        }
        return at > 0
    }

    /// Takes 64-bit sizes and offsets from an extra field, where those of 32 bits say so.
    private static func widen(
        _ compressed: inout Int, _ header: inout Int, uncompressed: Int, _ extra: [UInt8]
    ) {
        var at = 0
        while at + 4 <= extra.count {
            let end = at + 4 + number(extra, at + 2, 2)
            if number(extra, at, 2) == 1 {
                var field = at + 4
                func next() -> Int? {
                    defer { field += 8 }
                    return field + 8 <= min(end, extra.count) ? number(extra, field, 8) : nil
                }
                if uncompressed == 0xFFFF_FFFF { _ = next() }
                if compressed == 0xFFFF_FFFF { compressed = next() ?? compressed }
                if header == 0xFFFF_FFFF { header = next() ?? header }
            }
            at = end
        }
    }

    /// Where the bytes of an entry lie in an object; nil where its own header is not there.
    func content(
        of entry: Entry, in id: ObjectID, size: Int, _ source: some ObjectRangeSource
    ) throws(ObjectError) -> Range<Int>? {
        for offset in entry.headerOffsets where offset >= 0 && offset <= size - Self.headerSize {
            let header = try source.read(id, offset: offset, count: Self.headerSize)
            guard header.starts(with: Self.magic) else { continue }
            let start =
                offset + Self.headerSize + Self.number(header, 26, 2) + Self.number(header, 28, 2)
            guard start <= size else { continue }
            return start..<start + min(entry.compressedSize, size - start)
        }
        return nil
    }

    /// A little-endian number; of eight bytes the largest that an `Int` holds.
    private static func number(_ bytes: [UInt8], _ at: Int, _ width: Int) -> Int {
        let value = bytes[at..<at + width].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return Int(clamping: value)
    }
}
