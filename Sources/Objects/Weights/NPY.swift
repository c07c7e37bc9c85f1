internal import Storage

/// Where the numbers of an NPY file begin, versions 1 to 3 of NumPy's `numpy.lib.format`.
struct NPY: Hashable, Sendable {
    /// The offset of the first number from the start of the file.
    let dataOffset: Int

    /// A longer header is not believed: it describes one array.
    private static let headerLimit = 64 << 10

    /// Reads a header; nil for anything but one that looks sound.
    ///
    /// - Throws: When the file cannot be read.
    init?(_ source: any Blob) throws(StorageError) {
        var reader = HeaderReader(BlobHeader(blob: source), limit: Self.headerLimit)
        guard let prefix = try reader.bytes(8), prefix.starts(with: [0x93]),
            prefix.dropFirst().starts(with: "NUMPY".utf8), 1...3 ~= prefix[prefix.startIndex + 6],
            prefix.last == 0
        else { return nil }
        let isShort = prefix[prefix.startIndex + 6] == 1
        guard let number = try reader.bytes(isShort ? 2 : 4) else { return nil }
        let length = number.reversed().reduce(0) { $0 << 8 | Int($1) }
        guard let header = try reader.bytes(length), header.first == UInt8(ascii: "{"),
            header.last == UInt8(ascii: "\n"), reader.offset < source.size
        else { return nil }
        dataOffset = reader.offset
    }
}
