public import Storage

/// Rows in JSON Lines: one JSON object on each line, UTF-8, in a blob.
///
/// Lines may end with CR LF, blank lines are skipped, and the last line may lack a line feed. Any number of threads
/// read the source in blocks of whole lines.
public struct JSONLinesSource: Sendable {
    /// The most bytes in a line. Rows are far smaller; a file that is not JSON Lines fails here instead of filling
    /// memory.
    public static let lineLimit = 64 << 20

    /// The bytes in a block: large enough to amortise the work for each block, and small enough to stay in the
    /// processor's cache until it is parsed.
    static let blockSize = 1 << 20

    /// The bytes after a block that are read with it, to find the end of its last line.
    private static let overlap = 16 << 10

    private let name: String
    private let blob: any Blob
    private let keyFields: [String]
    private let vectorField: String?
    private let parser: JSONLinesRowParser
    private let blockSize: Int

    /// Creates a source of rows.
    ///
    /// - Parameters:
    ///   - blob: The bytes.
    ///   - name: The name of the source in errors, such as its file name.
    ///   - keyFields: The members whose values, joined with `#`, form the key: strings or whole numbers; see
    ///     ``RowKey``. They stay among the attributes.
    ///   - vectorField: The member that is the vector, a list of numbers that are rounded to fp32. It is removed from
    ///     the attributes.
    /// - Throws: `invalid` when no key field is given, or a key field is also the vector field.
    public init(
        _ blob: any Blob, name: String, keyFields: [String], vectorField: String? = nil
    ) throws(ObjectError) {
        try self.init(
            blob, name: name, keyFields: keyFields, vectorField: vectorField,
            blockSize: Self.blockSize)
    }

    init(
        _ blob: any Blob, name: String, keyFields: [String], vectorField: String?, blockSize: Int
    ) throws(ObjectError) {
        parser = try JSONLinesRowParser(keyFields: keyFields, vectorField: vectorField)
        self.name = name
        self.blob = blob
        self.keyFields = keyFields
        self.vectorField = vectorField
        self.blockSize = blockSize
    }

    /// The number of bytes.
    var size: Int { blob.size }

    /// The number of blocks.
    var blockCount: Int { (blob.size + blockSize - 1) / blockSize }

    /// The rows of the lines that begin in one block.
    struct Block: Sendable {
        /// The rows in key order; lines are counted from the start of the block.
        var rows = RowBlock()
        /// The number of lines.
        var lines = 0
        /// The length of the vectors; nil when there are no rows.
        var dimension: Int?
        /// The line of the first row, in the order of the lines.
        var firstLine = 0
        /// The first line that is not a row, at which parsing stopped; nil when there is none.
        var failure: Failure?
    }

    /// Why a line is not a row.
    struct Failure: Sendable {
        var line: Int
        var reason: String
    }

    /// The place of a line, for errors.
    func place(ofLine number: Int) -> String { "\(name), line \(number)" }

    func invalid(_ reason: String, line: Int) -> ObjectError {
        .invalid(what: place(ofLine: line), reason: reason)
    }

    // MARK: Blocks

    /// Reads and parses a block.
    ///
    /// - Parameter limit: The most rows to return. With a limit, only the beginning of the block is read, and it may
    ///   have no rows.
    func block(_ index: Int, atMost limit: Int = .max) throws(ObjectError) -> Block {
        let start = index * blockSize
        let end = min(start + blockSize, blob.size)
        // The byte before the block tells whether a line begins with the block.
        let before = index == 0 ? 0 : 1
        let isWhole = limit == .max
        var bytes = try read(
            start - before, isWhole ? end - start + before + Self.overlap : 4 * Self.overlap)
        let ownEnd = end - start + before
        var block = Block()
        var offset = 0
        if before == 1 {
            guard let feed = JSONText.lineFeed(in: bytes.span, from: 0), feed + 1 < ownEnd else {
                return block
            }
            offset = feed + 1
        }
        if isWhole { block.rows.reserve(bytes: ownEnd / 2) }
        var plain = PlainRowParser(keyFields: keyFields, vectorField: vectorField)
        while offset < min(ownEnd, bytes.count), block.rows.rows.count < limit {
            var lineEnd = JSONText.lineFeed(in: bytes.span, from: offset)
            while lineEnd == nil, start - before + bytes.count < blob.size,
                bytes.count - offset <= Self.lineLimit
            {
                let searched = bytes.count
                bytes += try read(start - before + searched, max(searched, Self.overlap))
                lineEnd = JSONText.lineFeed(in: bytes.span, from: searched)
            }
            let line = offset..<(lineEnd ?? bytes.count)
            block.lines += 1
            if let reason = parse(bytes.span.extracting(line), &plain, into: &block) {
                block.failure = Failure(line: block.lines, reason: reason)
                break
            }
            offset = line.upperBound + 1
        }
        block.rows.sort()
        return block
    }

    /// Reads up to `count` bytes from an offset.
    private func read(_ offset: Int, _ count: Int) throws(ObjectError) -> [UInt8] {
        try blob.bytes(at: offset, count: min(count, blob.size - offset))
    }

    /// Adds the row of a line, unless the line is blank. Returns what is wrong with the line, or nil.
    private func parse(
        _ line: Span<UInt8>, _ plain: inout PlainRowParser, into block: inout Block
    ) -> String? {
        guard line.count <= Self.lineLimit else {
            return "the line has more than \(Self.lineLimit >> 20) MiB; is this JSON Lines?"
        }
        if plain.read(line), block.dimension == nil || block.dimension == plain.vector.count / 4 {
            note(dimension: plain.vector.count / 4, in: &block)
            block.rows.append(
                key: plain.key.span, attributes: plain.attributes.span,
                vector: plain.vector.span, line: block.lines)
            return nil
        }
        do throws(JSONError) {
            guard let row = try parser.row(line, expecting: block.dimension) else { return nil }
            do throws(ObjectError) {
                let encoded = try EncodedTableRow(row, dimension: row.vector.count)
                note(dimension: row.vector.count, in: &block)
                block.rows.append(
                    key: encoded.key.span, attributes: encoded.attributes.span,
                    vector: encoded.vector.span, line: block.lines)
                return nil
            } catch { return error.message }
        } catch {
            let column = error.offset > 0 ? " (at byte \(error.offset + 1) of the line)" : ""
            return error.reason + column
        }
    }

    private func note(dimension: Int, in block: inout Block) {
        guard block.dimension == nil else { return }
        block.dimension = dimension
        block.firstLine = block.lines
    }
}

extension JSONLinesSource {
    /// The totals of the blocks so far.
    struct Progress {
        var lines = 0
        var dimension: Int?
    }

    /// Checks the next blocks against the earlier ones, and returns their rows with line numbers of the whole source.
    func rows(
        of blocks: [Block], after progress: inout Progress
    ) throws(ObjectError) -> [RowBlock] {
        var result: [RowBlock] = []
        for block in blocks {
            if let dimension = block.dimension {
                if let before = progress.dimension, before != dimension {
                    throw invalid(
                        JSONLinesRowParser.mismatch(vectorField ?? "", dimension, after: before),
                        line: progress.lines + block.firstLine)
                }
                progress.dimension = dimension
            }
            if let failure = block.failure {
                throw invalid(failure.reason, line: progress.lines + failure.line)
            }
            var rows = block.rows
            rows.addToLines(progress.lines)
            progress.lines += block.lines
            result.append(rows)
        }
        return result
    }

    /// Parses and checks every line, and keeps no rows. Does not look for repeated keys.
    ///
    /// - Returns: The number of rows.
    /// - Throws: `invalid` with the first line that is not a row.
    public func countRows(threads: Int = Threads.available) throws(ObjectError) -> Int {
        var count = 0
        var progress = Progress()
        try forEachBlock(perRound: 8 * threads, threads: threads, after: &progress) {
            count += $0.rows.count
        }
        return count
    }

    /// Reads all rows. Their order is unspecified, except that rows with one key stay in the order of their lines.
    ///
    /// - Throws: `invalid` with the first line that is not a row.
    public func rows(threads: Int = Threads.available) throws(ObjectError) -> [TableRow] {
        var rows: [TableRow] = []
        var progress = Progress()
        try forEachBlock(perRound: 8 * threads, threads: threads, after: &progress) {
            (block) throws(ObjectError) in
            for index in block.rows.indices { rows.append(try block.encoded(index).decoded()) }
        }
        return rows
    }

    /// Parses all blocks with several threads, and passes their rows to `body` in order.
    func forEachBlock(
        perRound: Int, threads: Int, after progress: inout Progress,
        _ body: (RowBlock) throws(ObjectError) -> Void
    ) throws(ObjectError) {
        for start in stride(from: 0, to: blockCount, by: perRound) {
            let count = min(perRound, blockCount - start)
            let results = Threads.map(count, threads: threads) { index in
                Result { () throws(ObjectError) in try block(start + index) }
            }
            for result in results {
                for block in try rows(of: [try result.get()], after: &progress) { try body(block) }
            }
        }
    }
}
