internal import CPosix
internal import Glibc

/// The bytes of an immutable file where the system keeps them: nothing is read before it is looked at, and nothing
/// is copied. The file stays mapped until the last reference is gone, also when its name is gone before.
///
/// Only for files that never change once they have their name. A file that another program cuts short meanwhile
/// ends this one with a signal, as it does every program that maps files.
public final class MappedFile: Sendable {
    /// The number of bytes.
    public let count: Int
    // Sound: the memory is never written, and stays until `deinit`.
    private nonisolated(unsafe) let start: UnsafeRawPointer

    /// Maps the first `count` bytes of a file; nil where the system does not do that, and
    /// on file systems of a network.
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

    /// Has the system bring some of the bytes in reach at once, in place of a few pages each time that one is missed.
    /// It promises nothing.
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
    /// MADV_POPULATE_READ, since Linux 5.14; older ones refuse it, and nothing is lost.
    private static let populateForReading: Int32 = 22
}
