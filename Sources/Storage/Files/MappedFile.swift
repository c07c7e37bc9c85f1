internal import CPosix
internal import Glibc

/// A memory-mapped immutable file: pages are read on first use and never copied. The mapping lasts until the last
/// reference goes away, even if the file is deleted first.
///
/// Only for files that never change once they have their name. If another program truncates a mapped file, reading the
/// lost pages ends this process with a signal, as in every program that maps files, unless ``surviveDamage()`` was
/// called. A program that survives must look at ``damage`` after it has read: the bytes may turn into zeros at any
/// time.
public final class MappedFile: Sendable {
    /// The number of bytes.
    public let count: Int
    private let path: String
    /// The number of the mapping for the handler of faults.
    private let number: Int32
    // Safe: the memory is never written and stays mapped until `deinit`.
    private nonisolated(unsafe) let start: UnsafeRawPointer

    /// Maps the first `count` bytes of a file; nil for no bytes, on network and FUSE file systems, where mapping fails,
    /// and when thousands of files are mapped.
    init?(_ descriptor: borrowing FileDescriptor, count: Int) {
        guard count > 0, fti_is_remote(descriptor.number) == 0,
            let address = mmap(nil, count, PROT_READ, MAP_SHARED, descriptor.number, 0),
            address != MAP_FAILED
        else { return nil }
        number = fti_register_mapping(address, count)
        guard number >= 0 else {
            munmap(address, count)
            return nil
        }
        self.count = count
        path = descriptor.path
        start = UnsafeRawPointer(address)
    }

    deinit {
        fti_forget_mapping(number)
        munmap(UnsafeMutableRawPointer(mutating: start), count)
    }

    /// Lets this process survive the truncation of a mapped file, and errors of its disk.
    ///
    /// From then on, a read of bytes that the system cannot provide turns all bytes of that mapping into zeros, and
    /// sets its ``damage``. For services, where one damaged file must not end all requests.
    ///
    /// - Throws: `system` when the handler of the signal cannot be installed.
    public static func surviveDamage() throws(StorageError) {
        guard fti_survive_faults() == 0 else {
            throw .system(operation: "handle SIGBUS", path: "the process", errno: errno)
        }
    }

    /// The number of mappings that were ever damaged in this process.
    public static var damagedCount: Int { fti_damaged_mappings() }

    /// Whether the bytes were replaced by zeros.
    public var isDamaged: Bool { fti_mapping_is_damaged(number) != 0 }

    /// Why the bytes were replaced by zeros; nil as long as they are those of the file.
    public var damage: StorageError? {
        guard isDamaged else { return nil }
        return .damaged(
            path: path, reason: "it became shorter, or its disk failed, while it was mapped")
    }

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
