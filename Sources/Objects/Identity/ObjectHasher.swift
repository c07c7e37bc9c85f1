internal import CCrypto

/// SHA-256 over bytes that arrive in pieces.
public struct ObjectHasher: ~Copyable {
    private let context: OpaquePointer

    /// Begins a digest.
    public init() {
        guard let context = EVP_MD_CTX_new(),
            EVP_DigestInit_ex2(context, SHA256.algorithm, nil) == 1
        else { fatalError("libcrypto cannot begin a SHA-256 digest: out of memory") }
        self.context = context
    }

    deinit { EVP_MD_CTX_free(context) }

    /// Adds bytes to the digest.
    public mutating func update(_ bytes: Span<UInt8>) {
        bytes.withUnsafeBytes { _ = EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
    }

    /// Ends the digest.
    public consuming func finalize() -> ObjectID {
        let digest = [UInt8](unsafeUninitializedCapacity: ObjectID.byteCount) { buffer, count in
            _ = EVP_DigestFinal_ex(context, buffer.baseAddress, nil)
            count = ObjectID.byteCount
        }
        return ObjectID(bytes: digest.span)
    }
}

extension ObjectID {
    /// The identity of an object with these bytes.
    ///
    /// Does without libcrypto's providers: fetching one takes a millisecond, as long as all else that
    /// resolving a ref does.
    public init(of bytes: Span<UInt8>) {
        let digest = [UInt8](unsafeUninitializedCapacity: Self.byteCount) { buffer, count in
            bytes.withUnsafeBytes { fti_sha256($0.baseAddress, $0.count, buffer.baseAddress) }
            count = Self.byteCount
        }
        self.init(bytes: digest.span)
    }
}

/// The digest's implementation, fetched once: an implicit fetch costs more than a small digest.
private enum SHA256 {
    // Immutable and reference-counted by libcrypto once fetched, so sharing it is sound.
    nonisolated(unsafe) static let algorithm: OpaquePointer? = EVP_MD_fetch(nil, "SHA256", nil)
}
