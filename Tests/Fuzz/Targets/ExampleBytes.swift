@testable internal import Objects
internal import Storage

/// Bytes of a real repository, as seeds.
package struct ExampleBytes: Sendable {
    private let bucket: DirectoryBucket
    /// Every pack's footer, and the number of bytes before it.
    let footers: [(bytes: [UInt8], dataEnd: Int)]
    /// Every stored piece with its index entry.
    let pieces: [(id: ObjectID, entry: PackFooter.Piece, stored: [UInt8])]

    /// Opens the repository in a folder.
    package init(repository: String) throws {
        bucket = try DirectoryBucket(opening: repository)
        var footers: [(bytes: [UInt8], dataEnd: Int)] = []
        var pieces: [(id: ObjectID, entry: PackFooter.Piece, stored: [UInt8])] = []
        for file in try Self.files(bucket, .packs, limit: 64 << 20) {
            let length = Int(LittleEndian.uint64(file.bytes.span, at: file.bytes.count - 16))
            let dataEnd = file.bytes.count - length
            let bytes = Array(file.bytes[dataEnd...])
            let footer = try PackFooter(decoding: bytes, dataEnd: dataEnd)
            footers.append((bytes, dataEnd))
            for index in 0..<footer.pieceCount {
                let piece = try footer.piece(at: index)
                let stored = file.bytes[piece.offset..<piece.offset + piece.storedSize]
                pieces.append((footer.pieceID(at: index), piece, Array(stored)))
            }
        }
        self.footers = footers
        self.pieces = pieces
    }

    private static func files(
        _ bucket: DirectoryBucket, _ folder: BucketFolder, limit: Int
    ) throws -> [(name: String, bytes: [UInt8])] {
        try bucket.list(folder).sorted { $0.name < $1.name }.compactMap { entry in
            guard entry.size <= limit,
                let bytes = try bucket.read(BlobName(folder, entry.name), limit: limit)
            else { return nil }
            return (entry.name, bytes)
        }
    }

    /// The files of the log with their names.
    func log() throws -> [(name: String, bytes: [UInt8])] {
        try Self.files(bucket, .log, limit: 1 << 20)
    }

    /// The objects that are one piece, are not larger than `limit` and begin with a text.
    func objects(beginningWith text: String, limit: Int) -> [[UInt8]] {
        let coder = PieceCoder()
        return pieces.compactMap { _, entry, stored in
            guard entry.isObject, entry.size <= limit, entry.codec != .delta,
                let bytes = try? coder.decode(stored, codec: entry.codec, size: entry.size),
                bytes.starts(with: text.utf8)
            else { return nil }
            return bytes
        }
    }
}
