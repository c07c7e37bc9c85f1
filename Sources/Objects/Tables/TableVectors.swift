internal import Glibc
internal import Synchronization

/// All vectors of a table in key order, leaf by leaf, in place wherever their packs can be mapped.
///
/// Opening reads the nodes above the leaves and, of each leaf that is in place, a header: what it costs follows the count of
/// leaves. A leaf that is to be verified and never was is read whole. It holds packs open, so that the vectors outlive every change of the repository.
public struct TableVectors: Sendable {
    /// The table.
    public let table: Table
    /// Its leaves, in key order.
    public let blocks: [VectorBlock]
    /// The number of the first row of each block.
    public let firstRows: [Int]

    /// Opens the vectors of a table.
    ///
    /// - Parameters:
    ///   - verified: What verified leaves are: every leaf is compared with its identity the first time, and what is used in
    ///     place with this from then on. Nil where checksums are enough, which find damage and no forgery.
    ///   - threads: How many threads work at it; the result does not depend on it.
    /// - Throws: What reading nodes throws; `corrupt` when a leaf is not what its identity says.
    public init(
        _ table: Table, in source: some ObjectSource, verified: VerifiedLeaves?,
        threads: Int = Threads.available
    ) throws(ObjectError) {
        self.table = table
        let reader = TableReader(table, in: source)
        let places = try reader.leafPlaces(of: table, threads: threads)
        blocks = try Threads.map(places, threads: threads) { (place) throws(ObjectError) in
            try reader.vectors(at: place, verified: verified)
        }
        var firstRows: [Int] = []
        firstRows.reserveCapacity(blocks.count)
        var row = 0
        for block in blocks {
            firstRows.append(row)
            row += block.rows
        }
        self.firstRows = firstRows
    }

    /// Where a row of the table is: the number of its block, and its own in the block.
    public func position(of row: Int) -> (block: Int, row: Int) {
        precondition(row >= 0 && row < table.rows, "a row of the table")
        let block = firstRows.binarySearch { $0 <= row } - 1
        return (block, row - firstRows[block])
    }

    /// The leaf with the keys and attributes of a block's rows.
    ///
    /// - Throws: What reading an object throws.
    public func leaf(
        _ block: Int, in source: some ObjectSource
    ) throws(ObjectError) -> TableLeaf {
        let block = blocks[block]
        return try LeafReference(id: block.leaf, rows: block.rows, lastKey: nil).read(in: source)
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
                    place.id, as: "table leaf", reason: "it is not what its parent says",
                    offset: nil)
            }
            return block
        }
        return VectorBlock(copying: try leaf(at: place), id: place.id)
    }
}

extension TableVectors {
    /// All vectors in one piece of memory, fp32[rows, dimension], row-major, in key order; verified.
    ///
    /// Bound by memory: what is in place is copied once.
    ///
    /// - Throws: `corrupt` when vectors are damaged.
    public func matrix(threads: Int = Threads.available) throws(ObjectError) -> [Float] {
        var failure: ObjectError?
        let matrix = [Float](unsafeUninitializedCapacity: table.rows * table.dimension) {
            buffer, count in
            Self.preferLargePages(UnsafeMutableRawBufferPointer(buffer))
            failure = copy(to: buffer, threads: threads)
            // Numbers need no deinitialisation: after a failure the array is given up as it is.
            count = failure == nil ? buffer.count : 0
        }
        if let failure { throw failure }
        return matrix
    }

    /// The same into memory that is there already, which is quicker: the system has no new pages to find.
    ///
    /// - Parameter matrix: As many numbers as the table has.
    /// - Throws: `corrupt` when vectors are damaged; the numbers mean nothing then.
    public func read(
        into matrix: inout [Float], threads: Int = Threads.available
    ) throws(ObjectError) {
        precondition(
            matrix.count == table.rows * table.dimension, "the matrix has the table's shape")
        let failure = matrix.withUnsafeMutableBufferPointer { copy(to: $0, threads: threads) }
        if let failure { throw failure }
    }

    /// Copies every block to its rows; gives back what went wrong.
    private func copy(
        to matrix: UnsafeMutableBufferPointer<Float>, threads: Int
    ) -> ObjectError? {
        let failure = Mutex<ObjectError?>(nil)
        let dimension = table.dimension
        // Sound: every block is copied to its own rows, which no other thread touches.
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

    /// Blocks that a thread takes at a time: a few megabytes of neighbouring memory.
    private static var group: Int { 64 }

    /// Asks for pages of 2 MiB, without which most of the time goes into faults of small ones.
    private static func preferLargePages(_ memory: UnsafeMutableRawBufferPointer) {
        let page = 1 << 12
        guard let start = memory.baseAddress, memory.count > 1 << 22 else { return }
        let aligned = start.alignedUp(toMultipleOf: page)
        madvise(aligned, (memory.count - (aligned - start)) / page * page, Int32(MADV_HUGEPAGE))
    }
}
