internal import Storage

/// Remembers which table leaves were verified, with keyed hashes of the vectors and the search codes of each leaf.
///
/// Search codes are derived from vectors, so no identity vouches for them, and anyone who can write a pack can also
/// write a matching checksum. Forged codes could hide the best rows from a search. So the first search of a leaf
/// reads it whole, compares it with its identity and recomputes its codes. Later searches compare the mapped bytes
/// with these hashes: that costs little more than a checksum, and nobody can forge a match without the secret. A hash
/// belongs to the leaf, not to a file, so it holds wherever the leaf is stored.
///
/// The stored form is a ``CacheTable`` with the magic `ftileaf2` and a secret of 32 random bytes as its header. So only
/// its owner may have permission to read the file. A key is the first word of the leaf's id; a value is the other three
/// words and the hashes.
public final class VerifiedLeaves: Sendable {
    /// The hashes of a leaf.
    struct Digests: Hashable, Sendable {
        let vectors: KeyedHash.Digest
        let codes: KeyedHash.Digest
    }

    private struct Value: CacheValue {
        static let byteCount = 24 + 32
        let id: (UInt64, UInt64, UInt64)
        let digests: Digests

        init(_ leaf: ObjectID, _ digests: Digests) {
            id = (leaf.word1, leaf.word2, leaf.word3)
            self.digests = digests
        }

        init(_ bytes: Span<UInt8>, at offset: Int) {
            func word(_ index: Int) -> UInt64 {
                LittleEndian.uint64(bytes, at: offset + 8 * index)
            }
            id = (word(0), word(1), word(2))
            digests = Digests(
                vectors: .init(word0: word(3), word1: word(4)),
                codes: .init(word0: word(5), word1: word(6)))
        }

        func append(to bytes: inout [UInt8]) {
            let (vectors, codes) = (digests.vectors, digests.codes)
            for word in [
                id.0, id.1, id.2, vectors.word0, vectors.word1, codes.word0, codes.word1,
            ] { LittleEndian.append(word, to: &bytes) }
        }
    }

    /// The maximum number of leaves to remember: about a million, in 71 MB.
    private static let limit = 1 << 20
    /// The maximum number of bytes of the stored form.
    public static let byteLimit = CacheTable<Value>.byteLimit(entries: limit)
    private static let magic = "ftileaf2"

    let hash: KeyedHash
    private let table: CacheTable<Value>

    /// Decodes the stored form; starts empty when the stored form is damaged.
    ///
    /// - Parameters:
    ///   - stored: The bytes from ``encoded()``; nil when there are none.
    ///   - moment: The present time.
    /// - Throws: `storage` when the system has no random bytes.
    public convenience init(_ stored: [UInt8]?, moment: Timestamp) throws(ObjectError) {
        try self.init(stored, milliseconds: moment.milliseconds)
    }

    /// Starts empty, for a cache that is not stored.
    ///
    /// - Throws: `storage` when the system has no random bytes.
    public convenience init() throws(ObjectError) { try self.init(nil, milliseconds: 0) }

    private init(_ stored: [UInt8]?, milliseconds: Int) throws(ObjectError) {
        let secretAt = Self.magic.utf8.count + 8
        if let stored, stored.count >= secretAt + KeyedHash.secretSize {
            let secret = Array(stored[secretAt..<(secretAt + KeyedHash.secretSize)])
            let table = CacheTable<Value>(
                stored, magic: Self.magic, header: secret, limit: Self.limit,
                moment: milliseconds)
            if !table.isEmpty {
                self.table = table
                hash = KeyedHash(secret: secret)
                return
            }
        }
        let secret: [UInt8]
        do throws(StorageError) { secret = try randomBytes(KeyedHash.secretSize) } catch {
            throw .storage(error)
        }
        hash = KeyedHash(secret: secret)
        table = CacheTable(
            nil, magic: Self.magic, header: secret, limit: Self.limit, moment: milliseconds)
    }

    /// The hashes of a leaf; nil when it has yet to be verified.
    func digests(of leaf: ObjectID) -> Digests? {
        table.value(leaf.word0) { $0.id == (leaf.word1, leaf.word2, leaf.word3) }?.digests
    }

    /// Adds a leaf that matched its identity.
    func add(_ leaf: ObjectID, vectors: Span<UInt8>, codes: Span<UInt8>) -> Digests {
        let digests = Digests(vectors: hash.digest(vectors), codes: hash.digest(codes))
        table.set(leaf.word0, Value(leaf, digests))
        return digests
    }

    /// The stored form to write in place of the old one; nil when nothing is new.
    public func encoded() -> [UInt8]? { table.encoded() }
}
