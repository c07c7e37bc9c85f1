internal import Glibc
internal import Synchronization

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
