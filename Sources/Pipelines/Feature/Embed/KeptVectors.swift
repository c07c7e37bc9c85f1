internal import Artifacts
internal import Objects
internal import Storage
internal import Synchronization

/// Keeps the vectors that a service made, in a private file, until a run commits them: the run after a failed one does
/// not pay for them again.
///
/// The file holds the magic `ftivect1`, the size u32 of the encoded embedding space, the encoding, and one record per
/// vector: the SHA-256 of its text, its components as fp32, and the first eight bytes of the SHA-256 of both. The first
/// incomplete record ends the file. All numbers are little-endian.
final class KeptVectors: Sendable {
    private static let magic = Array("ftivect1".utf8)
    private static let checkSize = 8
    /// The maximum number of bytes of an encoded space, which has only eight canaries.
    private static let spaceLimit = 16 << 20
    /// The file size beyond which no vectors are added.
    private static let byteLimit = 8 << 30
    /// The number of days after its last write when a file is removed.
    private static let lifetime = 30

    private let file: AppendFile
    /// The space of the file's vectors; nil for an empty file.
    let space: EmbeddingSpace?
    private let recordsAt: Int
    /// The offset in the file of the record of each text.
    private let places = Mutex<[ObjectID: Int]>([:])

    /// Opens or creates the file for one ref of a repository, and removes such files that are too old; nil where the
    /// file cannot be opened.
    ///
    /// - Parameters:
    ///   - folder: The cache folder.
    ///   - now: The present time.
    static func open(
        _ ref: String, of repository: String, in folder: String, now: Timestamp
    ) -> KeptVectors? {
        let name = ObjectID(of: Array("\(repository) \(ref)".utf8).span).hex.prefix(32)
        let file = CacheFile("\(folder)/\(name).vectors")
        file.removeAged(suffix: ".vectors", days: lifetime, now: now.milliseconds)
        return file.opened().map { KeptVectors($0) }
    }

    /// Reads a file; drops the first incomplete record and everything after it.
    private init(_ file: AppendFile) {
        self.file = file
        let prefix = Self.magic.count + 4
        let head = (try? file.read(at: 0, upTo: prefix)) ?? []
        guard head.count == prefix, head.starts(with: Self.magic),
            case let size = Int(LittleEndian.uint32(head.span, at: Self.magic.count)),
            size <= Self.spaceLimit, let encoded = try? file.read(at: prefix, upTo: size),
            encoded.count == size, let space = try? EmbeddingSpace(decoding: encoded)
        else {
            (self.space, recordsAt) = (nil, 0)
            return
        }
        self.space = space
        recordsAt = prefix + size
        let end = readRecords(of: space.dimension)
        if end < file.size { try? file.cut(to: end) }
    }

    /// Empties an open file and prepares it for vectors of a space.
    ///
    /// - Throws: `storage` when the file cannot be written.
    private init(_ file: AppendFile, for space: EmbeddingSpace) throws(StorageError) {
        self.file = file
        self.space = space
        var head = Self.magic
        let encoded = space.encoded
        LittleEndian.append(UInt32(encoded.count), to: &head)
        head += encoded
        recordsAt = head.count
        try file.cut(to: 0)
        try file.append(head)
    }

    /// The kept vectors of a space: this file's if they are in that space, otherwise an emptied file; nil where that
    /// file cannot be written.
    func of(_ space: EmbeddingSpace) -> KeptVectors? {
        self.space == space ? self : try? KeptVectors(file, for: space)
    }

    private static func recordSize(_ dimension: Int) -> Int {
        ObjectID.byteCount + 4 * dimension + checkSize
    }

    /// Indexes the records, and returns the end of the last complete one.
    private func readRecords(of dimension: Int) -> Int {
        let size = Self.recordSize(dimension)
        let group = max(1, (4 << 20) / size)
        var found: [ObjectID: Int] = [:]
        var end = recordsAt
        reading: while let bytes = try? file.read(at: end, upTo: group * size), !bytes.isEmpty {
            for start in stride(from: 0, to: bytes.count, by: size) {
                guard start + size <= bytes.count,
                    Self.isWhole(bytes.span.extracting(start..<(start + size)))
                else { break reading }
                found[ObjectID(bytes: bytes.span, at: start)] = end
                end += size
            }
        }
        let places = found
        self.places.withLock { $0 = places }
        return end
    }

    private static func isWhole(_ record: Span<UInt8>) -> Bool {
        let content = record.count - checkSize
        let check = ObjectID(of: record.extracting(0..<content)).bytes
        return (0..<checkSize).allSatisfy { record[content + $0] == check[$0] }
    }

    /// The vector of a text; nil when none is kept.
    func vector(of text: String) -> [Float]? {
        let id = ObjectID(of: Array(text.utf8).span)
        guard let space, let place = places.withLock({ $0[id] }),
            let record = try? file.read(at: place, upTo: Self.recordSize(space.dimension)),
            record.count == Self.recordSize(space.dimension), Self.isWhole(record.span),
            ObjectID(bytes: record.span) == id
        else { return nil }
        return (0..<space.dimension).map { index in
            Float(
                bitPattern: LittleEndian.uint32(
                    record.span, at: ObjectID.byteCount + 4 * index))
        }
    }

    /// Keeps the vectors of texts; ignores write errors.
    func add(_ vectors: [[Float]], of texts: ArraySlice<String>) {
        guard file.size < Self.byteLimit else { return }
        var records: [UInt8] = []
        var ids: [ObjectID] = []
        for (text, vector) in zip(texts, vectors) {
            let start = records.count
            let id = ObjectID(of: Array(text.utf8).span)
            records += id.bytes
            for number in vector { LittleEndian.append(number.bitPattern, to: &records) }
            let check = ObjectID(of: records.span.extracting(start..<records.count)).bytes
            records += check.prefix(Self.checkSize)
            ids.append(id)
        }
        guard let first = ids.isEmpty ? nil : try? file.append(records) else { return }
        let size = records.count / ids.count
        let kept = ids
        places.withLock { places in
            for (index, id) in kept.enumerated() { places[id] = first + index * size }
        }
    }

    /// Removes the file; the repository must already hold its vectors.
    func remove() { file.remove() }
}
