internal import Storage

/// Sorts blocks of rows by key in bounded memory.
///
/// Once rows exceed ``memoryLimit``, they go to scratch space as sorted files, which are merged while they are read
/// (Knuth, The Art of Computer Programming, volume 3, section 5.4). Rows with equal keys stay in the order of their
/// lines.
struct RowSorter {
    /// The bytes of rows in memory beyond which they go to scratch space.
    static let memoryLimit = 48 << 20

    private let makeScratch: () throws(ObjectError) -> any StagedBlob
    private let memoryLimit: Int
    private var scratch: (any StagedBlob)?
    private var held: [RowBlock] = []
    private var heldBytes = 0
    private var files: [Range<Int>] = []

    /// Creates a sorter. It calls `makeScratch` when the rows no longer fit in memory.
    init(
        memoryLimit: Int = RowSorter.memoryLimit,
        makeScratch: @escaping () throws(ObjectError) -> any StagedBlob
    ) {
        self.memoryLimit = memoryLimit
        self.makeScratch = makeScratch
    }

    /// Adds the rows of a sorted block.
    mutating func append(_ block: RowBlock) throws(ObjectError) {
        guard !block.isEmpty else { return }
        held.append(block)
        heldBytes += block.size
        if heldBytes > memoryLimit { try spill() }
    }

    private mutating func spill() throws(ObjectError) {
        let blob: any StagedBlob
        if let scratch { blob = scratch } else { blob = try makeScratch() }
        scratch = blob
        var rows = SortedRows(held.map { RowCursor(held: $0) })
        held.removeAll()
        heldBytes = 0
        var start: Int?
        var end = 0
        while let block = try rows.next(atLeast: SortedFile.writeSize) {
            let bytes = SortedFile.encode(block)
            let offset = try inStorage(blob.append(bytes))
            start = start ?? offset
            end = offset + bytes.count
        }
        if let start { files.append(start..<end) }
    }

    /// Returns the rows in key order. No row may be added afterwards.
    mutating func sorted() throws(ObjectError) -> SortedRows {
        guard let scratch else { return SortedRows(held.map { RowCursor(held: $0) }) }
        if !held.isEmpty { try spill() }
        let size = SortedFile.readSize(files: files.count)
        var cursors: [RowCursor] = []
        for range in files {
            cursors.append(try RowCursor(SortedFile(scratch, range, readSize: size)))
        }
        return SortedRows(cursors)
    }
}

/// Rows in key order, merged from sorted blocks and sorted files.
struct SortedRows: Sendable {
    /// A heap: the next row of a cursor never precedes the next row of its parent.
    private var cursors: [RowCursor]

    fileprivate init(_ cursors: [RowCursor]) {
        self.cursors = cursors.filter { $0.row != nil }
        for index in self.cursors.indices.reversed() { sink(index) }
    }

    /// Returns the next rows, at least `size` bytes of them if there are as many; nil at the end.
    mutating func next(atLeast size: Int) throws(ObjectError) -> RowBlock? {
        var result = RowBlock()
        result.reserve(bytes: size)
        while let row = cursors.first?.row, result.size < size {
            result.append(row, of: cursors[0].block)
            try cursors[0].advance()
            if cursors[0].row == nil {
                let last = cursors.removeLast()
                if cursors.isEmpty { break }
                cursors[0] = last
            }
            sink(0)
        }
        return result.isEmpty ? nil : result
    }

    private mutating func sink(_ start: Int) {
        var index = start
        while true {
            var least = index
            for child in [2 * index + 1, 2 * index + 2]
            where child < cursors.count && cursors[child].precedes(cursors[least]) {
                least = child
            }
            if least == index { return }
            cursors.swapAt(index, least)
            index = least
        }
    }
}

/// A position in sorted rows.
private struct RowCursor: Sendable {
    private(set) var block: RowBlock
    private(set) var row: RowBlock.Row?
    private var index = 0
    private var run: SortedFile?

    init(held block: RowBlock) {
        self.block = block
        row = block.rows.first
    }

    init(_ run: SortedFile) throws(ObjectError) {
        var run = run
        block = try run.next()
        row = block.rows.first
        self.run = run
    }

    mutating func advance() throws(ObjectError) {
        index += 1
        if index == block.rows.count, var run {
            block = RowBlock()
            block = try run.next()
            self.run = run
            index = 0
        }
        row = index < block.rows.count ? block.rows[index] : nil
    }

    func precedes(_ other: RowCursor) -> Bool {
        guard let row, let otherRow = other.row else { return row != nil }
        let order = block.compare(row, with: otherRow, of: other.block)
        return order == 0 ? row.line < otherRow.line : order < 0
    }
}

/// A sorted file in scratch space, read from start to end.
///
/// Each row is its line u64, the lengths of key, attributes and vector u32 each, then their bytes.
private struct SortedFile: Sendable {
    static let writeSize = 1 << 20
    private static let headerSize = 20

    private let blob: any StagedBlob
    private var unread: Range<Int>
    private let readSize: Int

    init(_ blob: any StagedBlob, _ range: Range<Int>, readSize: Int) {
        self.blob = blob
        unread = range
        self.readSize = readSize
    }

    /// The bytes to read from each file at once: up to 64 MiB for all files together, unless there are thousands.
    static func readSize(files: Int) -> Int {
        max(16 << 10, min(1 << 20, (64 << 20) / max(files, 1)))
    }

    static func encode(_ block: RowBlock) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(block.bytes.count + headerSize * block.rows.count)
        let content = block.bytes.span
        for row in block.rows {
            LittleEndian.append(UInt64(row.line), to: &bytes)
            for count in [row.keyCount, row.attributeCount, row.vectorCount] {
                LittleEndian.append(UInt32(count), to: &bytes)
            }
            LittleEndian.append(content.extracting(row.bytes), to: &bytes)
        }
        return bytes
    }

    /// Returns the next rows; an empty block at the end.
    mutating func next() throws(ObjectError) -> RowBlock {
        var block = RowBlock()
        var size = readSize
        while block.isEmpty, !unread.isEmpty {
            let bytes = try inStorage(
                blob.read(at: unread.lowerBound, count: min(size, unread.count)))
            let span = bytes.span
            var offset = 0
            block.reserve(bytes: bytes.count)
            while offset + Self.headerSize <= span.count {
                let key = offset + Self.headerSize
                let attributes = key + TableBytes.count(span, at: offset + 8)
                let vector = attributes + TableBytes.count(span, at: offset + 12)
                let end = vector + TableBytes.count(span, at: offset + 16)
                guard end <= span.count else {
                    size = max(size, end - offset)
                    break
                }
                block.append(
                    key: span.extracting(key..<attributes),
                    attributes: span.extracting(attributes..<vector),
                    vector: span.extracting(vector..<end),
                    line: Int(LittleEndian.uint64(span, at: offset)))
                offset = end
            }
            unread = unread.lowerBound + offset..<unread.upperBound
        }
        return block
    }
}
