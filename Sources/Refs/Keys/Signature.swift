internal import Objects

/// A signature, and the key whose it claims to be.
public struct Signature: Hashable, Sendable {
    /// Who is said to have signed.
    public let key: PublicKey
    /// The 64 bytes, as RFC 8032 encodes them.
    let bytes: [UInt8]

    /// Whether the key has signed this message.
    func isValid(for message: [UInt8]) -> Bool {
        Ed25519.verifies(bytes, of: message, key: key.bytes)
    }

    /// Adds the members `key` and `sig` to an object.
    func add(to object: inout JSONObject) {
        object["key"] = .string(key.hex)
        object["sig"] = .string(Hexadecimal.encode(bytes))
    }

    /// Takes `key` and `sig`; nil when neither is there.
    static func take(from reader: inout JSONObjectReader) throws(JSONSchemaError) -> Signature? {
        guard reader.has("key") || reader.has("sig") else { return nil }
        guard let key = PublicKey(hex: try reader.string("key")) else {
            throw reader.error("key", "must be an Ed25519 key: 64 lower-case hexadecimal digits")
        }
        guard let bytes = Hexadecimal.decode(try reader.string("sig")),
            bytes.count == Ed25519.signatureSize
        else { throw reader.error("sig", "must be 128 lower-case hexadecimal digits") }
        return Signature(key: key, bytes: bytes)
    }
}
