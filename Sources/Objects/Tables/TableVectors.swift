internal import Glibc
internal import Synchronization

/// All vectors of a table in key order, leaf by leaf, mapped from their packs where possible.
///
/// Opening reads the nodes above the leaves, the header of each mapped leaf, and every leaf that has yet to be
/// verified or cannot be mapped. So its time is at least proportional to the number of leaves. The value holds packs
/// open, so that the vectors stay valid even if the repository is deleted.
public struct TableVectors: Sendable {
    /// The table.
    public let table: Table
    /// The leaves, in key order.
    public let blocks: [VectorBlock]
    /// The row number of the first row of each block.
    public let firstRows: [Int]

    /// Opens the vectors of a table.
    ///
    /// - Parameters:
    ///   - verified: Remembers verified leaves. The first time, a leaf is compared with its identity; from then on, its
    ///     mapped bytes are compared with the remembered hashes. Nil when checksums are enough; they find damage but
    ///     not forgery.
    ///   - threads: The number of threads; the result does not depend on it.
    ///   - earlier: Vectors of another version of the table, whose leaves in common are not opened again.
    /// - Throws: `corrupt` when a leaf does not match its identity, and the errors of reading nodes.
    public init(
        _ table: Table, in source: some ObjectSource, verified: VerifiedLeaves?,
        threads: Int = Threads.available, sharing earlier: TableVectors? = nil
    ) throws(ObjectError) {
        self.table = table
        let reader = TableReader(table, in: source)
        let places = try reader.leafPlaces(of: table, threads: threads)
        let known = earlier?.indices ?? [:]
        blocks = try Threads.map(places, threads: threads) { (place) throws(ObjectError) in
            if let earlier, let index = known[place.id],
                case let block = earlier.blocks[index], block.rows == place.rows,
                block.dimension == table.dimension, block.isUsable(verified: verified != nil)
            {
                return block
            }
            return try reader.vectors(at: place, verified: verified)
        }
        var firstRows: [Int] = []
        firstRows.reserveCapacity(blocks.count)
        var row = 0
        for block in blocks {
            firstRows.append(row)
            row += block.rows
        }
        self.firstRows = firstRows
        var hints: [UInt32] = []
        hints.reserveCapacity(row / Self.hintRows + 1)
        for (block, first) in firstRows.enumerated() {
            let end = first + blocks[block].rows
            while hints.count * Self.hintRows < end { hints.append(UInt32(block)) }
        }
        self.hints = hints
    }

    /// The block of every 64th row, so that to find a row's block takes no search.
    private let hints: [UInt32]
    private static let hintRows = 64

    /// The block of a row of the table, and the row's number in the block.
    public func position(of row: Int) -> (block: Int, row: Int) {
        precondition(row >= 0 && row < table.rows, "a row of the table")
        var block = Int(hints[row / Self.hintRows])
        while row - firstRows[block] >= blocks[block].rows { block += 1 }
        return (block, row - firstRows[block])
    }

    /// The leaves, in key order.
    public var leaves: [LeafReference] {
        blocks.map { LeafReference(id: $0.leaf, rows: $0.rows, lastKey: nil) }
    }

    /// The index of each leaf.
    private var indices: [ObjectID: Int] {
        Dictionary(
            blocks.enumerated().map { ($1.leaf, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Which leaves another version of the table has, too.
    public func leaves(sharedWith earlier: TableVectors) -> SharedLeaves {
        let known = earlier.indices
        return SharedLeaves(
            indices: blocks.map { known[$0.leaf] }, earlierFirstRows: earlier.firstRows)
    }

    /// Reads the leaf with the keys and attributes of a block's rows.
    ///
    /// - Throws: The errors of reading an object.
    public func leaf(
        _ block: Int, in source: some ObjectSource
    ) throws(ObjectError) -> TableLeaf {
        let block = blocks[block]
        return try LeafReference(id: block.leaf, rows: block.rows, lastKey: nil).read(in: source)
    }
}

/// The leaves that a version of a table has in common with an earlier one.
public struct SharedLeaves: Sendable {
    /// For each leaf, its index in the earlier version; nil for a new leaf.
    public let indices: [Int?]
    /// The first row of each leaf of the earlier version.
    public let earlierFirstRows: [Int]

    /// Whether consecutive leaves are the same as consecutive leaves of the earlier version.
    public func are(_ leaves: Range<Int>, equalTo earlier: Range<Int>) -> Bool {
        leaves.count == earlier.count
            && zip(leaves, earlier).allSatisfy { indices[$0] == $1 }
    }
}

extension TableReader {
    /// The places of all leaves, in key order.
    func leafPlaces(of table: Table, threads: Int) throws(ObjectError) -> [TablePlace] {
        let root = TablePlace.root(of: table)
        guard case .inner(let inner) = try node(at: root) else { return [root] }
        var places = root.children(of: inner)
        while let level = places.first?.level, level > 0 {
            places = try expand(places, threads: threads)
        }
        return places
    }

    /// The vectors of the leaf at a place.
    fileprivate func vectors(
        at place: TablePlace, verified: VerifiedLeaves?
    ) throws(ObjectError) -> VectorBlock {
        if let source = source as? PackStore,
            let block = try source.vectorBlock(of: place.id, verified: verified)
        {
            guard block.rows == place.rows, block.dimension == dimension else {
                throw .malformed(
                    place.id, as: "table leaf",
                    reason: "its row count or dimension differs from what its parent says",
                    offset: nil)
            }
            return block
        }
        return VectorBlock(copying: try leaf(at: place), id: place.id)
    }
}

extension TableVectors {
    /// Copies all vectors into one array, fp32[rows, dimension], row-major, in key order, after checking them.
    ///
    /// Mapped vectors are copied only once, so the speed of memory limits this.
    ///
    /// - Throws: `corrupt` when vectors are damaged.
    public func matrix(threads: Int = Threads.available) throws(ObjectError) -> [Float] {
        var failure: ObjectError?
        let matrix = [Float](unsafeUninitializedCapacity: table.rows * table.dimension) {
            buffer, count in
            Self.preferLargePages(UnsafeMutableRawBufferPointer(buffer))
            failure = copy(to: buffer, threads: threads)
            // Numbers need no deinitialisation, so a partly filled array can be dropped after a failure.
            count = failure == nil ? buffer.count : 0
        }
        if let failure { throw failure }
        return matrix
    }

    /// Copies all vectors into an existing array, which is faster: the system does not have to provide new pages.
    ///
    /// - Parameter matrix: As many elements as the table has.
    /// - Throws: `corrupt` when vectors are damaged; the contents of the array are then undefined.
    public func read(
        into matrix: inout [Float], threads: Int = Threads.available
    ) throws(ObjectError) {
        precondition(
            matrix.count == table.rows * table.dimension, "the matrix has the table's shape")
        let failure = matrix.withUnsafeMutableBufferPointer { copy(to: $0, threads: threads) }
        if let failure { throw failure }
    }

    /// Copies every block to its rows; returns the first error.
    private func copy(
        to matrix: UnsafeMutableBufferPointer<Float>, threads: Int
    ) -> ObjectError? {
        let failure = Mutex<ObjectError?>(nil)
        let dimension = table.dimension
        // Safe: each block is copied to its own rows, which no other thread touches.
        nonisolated(unsafe) let rows = matrix
        let next = Atomic(0)
        Threads.run(min(threads, blocks.count)) {
            while failure.withLock({ $0 == nil }) {
                let first = next.wrappingAdd(Self.group, ordering: .relaxed).oldValue
                guard first < blocks.count else { return }
                let group = first..<min(first + Self.group, blocks.count)
                VectorBlock.prefetch(blocks[group])
                for index in group {
                    do throws(ObjectError) {
                        try blocks[index].withVectors { vectors in
                            vectors.withUnsafeBufferPointer { vectors in
                                let start = firstRows[index] * dimension
                                let target = rows[start..<start + vectors.count]
                                _ = UnsafeMutableBufferPointer(rebasing: target)
                                    .initialize(fromContentsOf: vectors)
                            }
                        }
                    } catch {
                        failure.withLock { $0 = error }
                        return
                    }
                }
            }
        }
        return failure.withLock { $0 }
    }

    /// The number of blocks that a thread copies at once: a few megabytes of neighbouring memory.
    private static var group: Int { 64 }

    /// Requests pages of 2 MiB; with small pages, page faults would take most of the time.
    private static func preferLargePages(_ memory: UnsafeMutableRawBufferPointer) {
        let page = 1 << 12
        guard let start = memory.baseAddress, memory.count > 1 << 22 else { return }
        let aligned = start.alignedUp(toMultipleOf: page)
        madvise(aligned, (memory.count - (aligned - start)) / page * page, Int32(MADV_HUGEPAGE))
    }
}
