internal import CPosix
internal import Glibc

/// A memory-mapped immutable file: pages are read on first use and never copied. The mapping lasts until the last
/// reference goes away, even if the file is deleted first.
///
/// Only for files that never change once they have their name. If another program truncates a mapped file, reading the
/// lost pages ends this process with a signal, as in every program that maps files.
public final class MappedFile: Sendable {
    /// The number of bytes.
    public let count: Int
    // Safe: the memory is never written and stays mapped until `deinit`.
    private nonisolated(unsafe) let start: UnsafeRawPointer

    /// Maps the first `count` bytes of a file; nil for no bytes, on network and FUSE file systems, and where mapping
    /// fails.
    init?(_ descriptor: borrowing FileDescriptor, count: Int) {
        guard count > 0, fti_is_remote(descriptor.number) == 0,
            let address = mmap(nil, count, PROT_READ, MAP_SHARED, descriptor.number, 0),
            address != MAP_FAILED
        else { return nil }
        self.count = count
        start = UnsafeRawPointer(address)
    }

    deinit { munmap(UnsafeMutableRawPointer(mutating: start), count) }

    /// Lends some of the bytes.
    ///
    /// - Parameter range: Must lie within the file.
    public func withBytes<Result, Failure: Error>(
        _ range: Range<Int>, _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        precondition(
            range.lowerBound >= 0 && range.upperBound <= count, "a range lies within its file")
        let bytes = UnsafeBufferPointer(
            start: (start + range.lowerBound).assumingMemoryBound(to: UInt8.self),
            count: range.count)
        return try body(bytes.span)
    }

    /// Asks the system to load a range at once, rather than a few pages at each page fault; only a hint.
    ///
    /// - Parameter range: Must lie within the file.
    public func prefetch(_ range: Range<Int>) {
        precondition(
            range.lowerBound >= 0 && range.upperBound <= count, "a range lies within its file")
        let first = range.lowerBound & ~(Self.pageSize - 1)
        madvise(
            UnsafeMutableRawPointer(mutating: start + first), range.upperBound - first,
            Self.populateForReading)
    }

    private static let pageSize = Int(getpagesize())
    /// MADV_POPULATE_READ, since Linux 5.14; older kernels refuse it, which does no harm.
    private static let populateForReading: Int32 = 22
}
