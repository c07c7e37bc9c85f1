internal import Storage

/// Which leaves of tables were verified, and what they are: of each a keyed hash of its vectors and of their codes.
///
/// Codes are derived from vectors and no identity vouches for them, and of a pack that somebody else can write a checksum
/// vouches for nothing: whoever changes codes can exclude the best rows, and make the checksum right again. So the first time
/// that a leaf is searched it is read whole, compared with its identity, and its codes are computed once more. From then on what is
/// used in place is compared with these hashes, which cost little more than a checksum and which nobody can make
/// right without the secret. They are of the leaf and not of a file: they hold wherever the leaf is stored.
///
/// The stored form is a ``CacheTable`` with the magic `ftileaf2` and the secret, 32 random bytes, as its header; it must be
/// kept where nobody else can read it. A key is the first word of the leaf's id; a value the other three, and the hashes.
public final class VerifiedLeaves: Sendable {
    /// What is known of a leaf.
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

    /// The most leaves that are remembered: a million, some 70 million rows, in 71 MB.
    private static let limit = 1 << 20
    /// The most bytes of the stored form.
    public static let byteLimit = CacheTable<Value>.byteLimit(entries: limit)
    private static let magic = "ftileaf2"

    let hash: KeyedHash
    private let table: CacheTable<Value>

    /// Reads what was stored; what is damaged is as good as nothing.
    ///
    /// - Parameters:
    ///   - stored: What ``encoded()`` gave; nil when there is none.
    ///   - moment: The present time.
    /// - Throws: `storage` when the system has no random bytes.
    public convenience init(_ stored: [UInt8]?, moment: Timestamp) throws(ObjectError) {
        try self.init(stored, milliseconds: moment.milliseconds)
    }

    /// Remembers what it learns for as long as it is there.
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

    /// What is known of a leaf; nil when it has to be verified.
    func digests(of leaf: ObjectID) -> Digests? {
        table.value(leaf.word0) { $0.id == (leaf.word1, leaf.word2, leaf.word3) }?.digests
    }

    /// Takes a leaf that was found to be what its identity says.
    func add(_ leaf: ObjectID, vectors: Span<UInt8>, codes: Span<UInt8>) -> Digests {
        let digests = Digests(vectors: hash.digest(vectors), codes: hash.digest(codes))
        table.set(leaf.word0, Value(leaf, digests))
        return digests
    }

    /// What is to be stored in the place of what was; nil when nothing is new.
    public func encoded() -> [UInt8]? { table.encoded() }
}
