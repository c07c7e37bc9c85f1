import Storage

/// Bytes that are read like a file; optionally they end early, like a file truncated meanwhile.
struct BytesBlob: Blob {
    let bytes: [UInt8]
    let size: Int

    init(_ bytes: [UInt8], claiming size: Int? = nil) {
        self.bytes = bytes
        self.size = size ?? bytes.count
    }

    func read(at offset: Int, count: Int) throws(StorageError) -> [UInt8] {
        guard offset >= 0, count >= 0, offset + count <= bytes.count else {
            throw .truncated(path: "bytes", expected: offset + count, actual: bytes.count)
        }
        return Array(bytes[offset..<offset + count])
    }
}
