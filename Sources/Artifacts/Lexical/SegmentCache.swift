public import Objects
internal import Storage
internal import Synchronization

/// Builds and caches segments for tables whose lexical index is missing or was built by a different text analysis.
///
/// The file format is `ftisegm1` | the digest of the text analysis | for each segment: its leaf, its length u32, its
/// bytes | the SHA-256 of everything before. A damaged file, or one of a different analysis, is ignored.
public final class SegmentCache: Sendable {
    private struct Contents {
        var isLoaded = false
        var known: [ObjectID: [UInt8]] = [:]
        var used: Set<ObjectID> = []
        var hasNew = false
    }

    private static let magic = Array("ftisegm1".utf8)
    /// The maximum number of bytes of the file: segments of about three million rows. A larger cache is not saved.
    public static let byteLimit = 1 << 30

    private let contents = Mutex(Contents())
    private let file: CacheFile?

    /// Caches segments in a file, which is read on first use; without a path, in memory only.
    public init(at path: String? = nil) { file = path.map { CacheFile($0) } }

    private static func segments(in stored: [UInt8]) -> [ObjectID: [UInt8]]? {
        let size = ObjectID.byteCount
        let header = magic + LexicalTree.analysis.bytes
        let end = stored.count - size
        guard end >= header.count, stored.starts(with: header),
            ObjectID(of: stored.span.extracting(0..<end)).bytes == Array(stored[end...])
        else { return nil }
        var known: [ObjectID: [UInt8]] = [:]
        var at = header.count
        while at + size + 4 <= end {
            let count = Int(LittleEndian.uint32(stored.span, at: at + size))
            let start = at + size + 4
            guard start + count <= end else { return nil }
            known[ObjectID(bytes: stored.span, at: at)] = Array(stored[start..<start + count])
            at = start + count
        }
        return known
    }

    /// The segment of a leaf.
    ///
    /// - Throws: Errors of reading the leaf.
    func segment(
        of leaf: LeafReference, in source: some ObjectSource
    ) throws(ObjectError) -> LexicalSegment {
        let known = contents.withLock { contents in
            if !contents.isLoaded {
                contents.isLoaded = true
                let stored = file?.read(limit: Self.byteLimit)
                contents.known = stored.flatMap { Self.segments(in: $0) } ?? [:]
            }
            contents.used.insert(leaf.id)
            return contents.known[leaf.id]
        }
        if let known, let segment = try? LexicalSegment(decoding: known) { return segment }
        var builder = SegmentBuilder()
        let segment = try builder.segment(of: try leaf.read(in: source))
        let bytes = segment.encoded
        contents.withLock { contents in
            contents.known[leaf.id] = bytes
            contents.hasNew = true
        }
        return segment
    }

    /// Writes the segments used so far if any of them are new; a failed write only costs time later.
    func save() {
        if let file, let bytes = encoded() { try? file.replace(bytes) }
    }

    private func encoded() -> [UInt8]? {
        let kept = contents.withLock { contents -> [(ObjectID, [UInt8])]? in
            guard contents.hasNew else { return nil }
            contents.hasNew = false
            return contents.known.filter { contents.used.contains($0.key) }.sorted {
                $0.key < $1.key
            }
        }
        guard let kept, kept.reduce(0, { $0 + $1.1.count + 40 }) < Self.byteLimit - 1024 else {
            return nil
        }
        var bytes = Self.magic + LexicalTree.analysis.bytes
        for (leaf, segment) in kept {
            bytes += leaf.bytes
            LittleEndian.append(UInt32(segment.count), to: &bytes)
            bytes += segment
        }
        return bytes + ObjectID(of: bytes.span).bytes
    }
}

extension LexicalIndex {
    /// Opens the index of a table: the snapshot's where its text analysis is current, otherwise one built from cached
    /// segments.
    ///
    /// - Parameters:
    ///   - content: The index that the snapshot names; nil where it names none.
    ///   - cache: The cache of segments that the snapshot lacks.
    /// - Throws: `malformed` when the index does not belong to the table; rethrows read errors.
    public static func open(
        _ table: Table, _ content: Content?, in source: some ObjectSource, cache: SegmentCache,
        threads: Int
    ) throws(ObjectError) -> LexicalIndex {
        try open(
            table.leaves(in: source, threads: threads), content, in: source, cache: cache,
            sharing: nil, threads: threads)
    }

    /// Opens the index of a table's leaves, and takes the words of unchanged leaves from an earlier one.
    static func open(
        _ leaves: [LeafReference], _ content: Content?, in source: some ObjectSource,
        cache: SegmentCache, sharing earlier: Earlier?, threads: Int
    ) throws(ObjectError) -> LexicalIndex {
        let tree = try content.flatMap { (content) throws(ObjectError) in
            try LexicalTree(content, in: source)
        }
        let index = try LexicalIndex(leaves, sharing: earlier, threads: threads) {
            (leaf) throws(ObjectError) in
            guard let tree else { return try cache.segment(of: leaf, in: source) }
            guard let id = tree.segments[leaf.id] else {
                throw .malformed(
                    content?.id, as: "lexical index",
                    reason: "it has no segment for leaf \(leaf.id.short)", offset: nil)
            }
            return try LexicalSegment(
                decoding: try source.read(id, limit: LexicalSegment.byteLimit), id: id)
        }
        cache.save()
        return index
    }
}
