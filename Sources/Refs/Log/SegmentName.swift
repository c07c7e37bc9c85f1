package import Storage

/// The name of a segment: `log/FIRST-LAST.segment`, at one of the places where segments can be.
///
/// A segment of 64 begins at a multiple of 64 and one of 1,024 at a multiple of 1,024, so which segments can hold
/// an entry follows from its number.
package struct SegmentName: Hashable {
    package let first: Int
    let count: Int

    /// How many entries a segment holds: first a few, so that few single files are left, then many, so that a
    /// million transactions are a thousand files.
    package static let sizes = [64, 1024]
    static let smallest = 64

    /// The segment of `count` entries that would hold an entry.
    package init(of count: Int, holding number: Int) {
        first = number / count * count
        self.count = count
    }

    /// Reads the name of a file; nil when no segment is called so.
    init?(_ name: String) {
        let bytes = Array(name.utf8)
        let digits = LogFile.digits
        guard bytes.count == 2 * digits + 1 + Self.suffix.utf8.count, bytes[digits] == 0x2D,
            bytes.suffix(Self.suffix.utf8.count).elementsEqual(Self.suffix.utf8),
            let first = LogFile.number(bytes[..<digits]),
            let last = LogFile.number(bytes[(digits + 1)...].prefix(digits)),
            Self.sizes.contains(last - first + 1), first % (last - first + 1) == 0
        else { return nil }
        self.first = first
        count = last - first + 1
    }

    private static let suffix = ".segment"

    package var last: Int { first + count - 1 }
    package var numbers: ClosedRange<Int> { first...last }
    package var blob: BlobName {
        BlobName(.log, LogFile.padded(first) + "-" + LogFile.padded(last) + Self.suffix)
    }
    package var place: String { blob.description }

    func holds(_ number: Int) -> Bool { numbers.contains(number) }
}
