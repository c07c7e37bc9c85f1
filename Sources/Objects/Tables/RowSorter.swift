internal import Storage

/// Takes rows in any order and hands them out in key order, with bounded memory.
///
/// Rows beyond ``memoryLimit`` go to scratch space as sorted runs, which are merged while they are read
/// (Knuth, The Art of Computer Programming, volume 3, section 5.4). Equal keys come in the order of their lines.
struct RowSorter {
    /// A row and the line it was on.
    struct Entry {
        let row: EncodedTableRow
        let line: Int

        var size: Int { row.key.count + row.attributes.count + row.vector.count }

        static func precedes(_ left: Entry, _ right: Entry) -> Bool {
            let order = TableBytes.compare(left.row.key.span, right.row.key.span)
            return order == 0 ? left.line < right.line : order < 0
        }
    }

    /// Bytes of rows that are held before they are written out; arrays add some to that.
    static let memoryLimit = 48 << 20

    private let makeScratch: () throws(ObjectError) -> any StagedBlob
    private let memoryLimit: Int
    private var scratch: (any StagedBlob)?
    private var held: [Entry] = []
    private var heldBytes = 0
    private var runs: [Range<Int>] = []

    /// Makes a sorter; `makeScratch` is called once rows do not fit into memory.
    init(
        memoryLimit: Int = RowSorter.memoryLimit,
        makeScratch: @escaping () throws(ObjectError) -> any StagedBlob
    ) {
        self.memoryLimit = memoryLimit
        self.makeScratch = makeScratch
    }

    /// Adds a row.
    mutating func append(_ row: EncodedTableRow, line: Int) throws(ObjectError) {
        let entry = Entry(row: row, line: line)
        held.append(entry)
        heldBytes += entry.size
        if heldBytes > memoryLimit { try spill() }
    }

    private mutating func spill() throws(ObjectError) {
        let blob: any StagedBlob
        if let scratch { blob = scratch } else { blob = try makeScratch() }
        scratch = blob
        held.sort(by: Entry.precedes)
        var start: Int?
        var end = 0
        var buffer: [UInt8] = []
        for (index, entry) in held.enumerated() {
            RowRun.append(entry, to: &buffer)
            guard buffer.count >= RowRun.bufferSize || index == held.count - 1 else { continue }
            do throws(StorageError) {
                let offset = try blob.append(buffer)
                start = start ?? offset
                end = offset + buffer.count
            } catch { throw .storage(error) }
            buffer.removeAll(keepingCapacity: true)
        }
        if let start { runs.append(start..<end) }
        held.removeAll()
        heldBytes = 0
    }

    /// The rows in key order; may be asked for again, and begins anew then. No row may be added after.
    mutating func sorted() throws(ObjectError) -> SortedRows {
        if let scratch {
            if !held.isEmpty { try spill() }
            var readers: [RowRun] = []
            for range in runs { readers.append(try RowRun(scratch, range)) }
            return SortedRows(held: [], runs: readers)
        }
        held.sort(by: Entry.precedes)
        return SortedRows(held: held, runs: [])
    }
}

/// Rows in key order, from memory or merged from runs.
struct SortedRows {
    private let held: [RowSorter.Entry]
    private var position = 0
    private var runs: [RowRun]

    fileprivate init(held: [RowSorter.Entry], runs: [RowRun]) {
        self.held = held
        self.runs = runs
    }

    /// The next row, or nil at the end.
    mutating func next() throws(ObjectError) -> RowSorter.Entry? {
        guard !runs.isEmpty else {
            guard position < held.count else { return nil }
            defer { position += 1 }
            return held[position]
        }
        // There are a few dozen runs at most: looking at each head costs less than decoding a row.
        var best: Int?
        for index in runs.indices {
            guard let head = runs[index].head else { continue }
            if let current = best.flatMap({ runs[$0].head }),
                !RowSorter.Entry.precedes(head, current)
            {
                continue
            }
            best = index
        }
        guard let best else { return nil }
        defer { if runs[best].head == nil { runs.remove(at: best) } }
        return try runs[best].take()
    }
}

/// A sorted run in scratch space, read from its beginning to its end.
///
/// Each row is line u64, lengths of key, attributes and vector u32 each, then their bytes.
private struct RowRun {
    static let bufferSize = 1 << 20
    private static let headerSize = 20

    private let blob: any StagedBlob
    private var unread: Range<Int>
    private var buffer: [UInt8] = []
    private var offset = 0
    private(set) var head: RowSorter.Entry?

    init(_ blob: any StagedBlob, _ range: Range<Int>) throws(ObjectError) {
        self.blob = blob
        unread = range
        head = try decode()
    }

    static func append(_ entry: RowSorter.Entry, to bytes: inout [UInt8]) {
        LittleEndian.append(UInt64(entry.line), to: &bytes)
        for part in [entry.row.key, entry.row.attributes, entry.row.vector] {
            LittleEndian.append(UInt32(part.count), to: &bytes)
        }
        bytes += entry.row.key
        bytes += entry.row.attributes
        bytes += entry.row.vector
    }

    /// The row at the head; the one after it takes its place.
    mutating func take() throws(ObjectError) -> RowSorter.Entry? {
        let taken = head
        head = try decode()
        return taken
    }

    private mutating func decode() throws(ObjectError) -> RowSorter.Entry? {
        guard try fill(Self.headerSize) else { return nil }
        let line = Int(LittleEndian.uint64(buffer.span, at: offset))
        var lengths: [Int] = []
        for field in 0..<3 {
            lengths.append(Int(LittleEndian.uint32(buffer.span, at: offset + 8 + 4 * field)))
        }
        offset += Self.headerSize
        guard try fill(lengths.reduce(0, +)) else { return nil }
        var parts: [[UInt8]] = []
        for length in lengths {
            parts.append(Array(buffer[offset..<offset + length]))
            offset += length
        }
        return RowSorter.Entry(
            row: EncodedTableRow(key: parts[0], attributes: parts[1], vector: parts[2]), line: line)
    }

    /// Whether `count` bytes are at hand from ``offset``, after reading more where needed.
    private mutating func fill(_ count: Int) throws(ObjectError) -> Bool {
        while buffer.count - offset < count {
            guard !unread.isEmpty else { return false }
            let size = min(max(Self.bufferSize, count), unread.count)
            buffer.removeSubrange(..<offset)
            offset = 0
            do throws(StorageError) {
                buffer += try blob.read(at: unread.lowerBound, count: size)
            } catch { throw .storage(error) }
            unread = unread.lowerBound + size..<unread.upperBound
        }
        return true
    }
}
