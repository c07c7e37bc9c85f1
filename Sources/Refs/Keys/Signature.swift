internal import CCrypto
internal import Objects

/// A signature, and the key that it claims to come from.
public struct Signature: Hashable, Sendable {
    /// The key that the signature claims to come from; ``isValid(for:)`` tells whether it does.
    public let key: PublicKey
    /// The 64 bytes in the encoding of RFC 8032.
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

    /// Takes the members `key` and `sig`; nil when neither exists.
    static func take(from reader: inout JSONObjectReader) throws(JSONSchemaError) -> Signature? {
        guard reader.has("key") || reader.has("sig") else { return nil }
        let key = try reader.publicKey("key")
        guard let bytes = Hexadecimal.decode(try reader.string("sig")),
            bytes.count == Ed25519.signatureSize
        else { throw reader.error("sig", "must be 128 lower-case hexadecimal digits") }
        return Signature(key: key, bytes: bytes)
    }
}

/// The public half of an Ed25519 key.
public struct PublicKey: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The 32 bytes in the encoding of RFC 8032.
    public let bytes: [UInt8]

    /// Parses 64 lower-case hexadecimal digits; nil for anything else, and for the few values that would verify
    /// every message.
    public init?(hex text: some StringProtocol) {
        guard let bytes = Hexadecimal.decode(String(text)) else { return nil }
        self.init(bytes: bytes)
    }

    init?(bytes: [UInt8]) {
        guard Ed25519.isAcceptable(point: bytes) else { return nil }
        self.bytes = bytes
    }

    /// The key as 64 lower-case hexadecimal digits.
    public var hex: String { Hexadecimal.encode(bytes) }

    /// The first 12 digits, for display only.
    public var short: String { String(hex.prefix(12)) }

    /// Same as ``hex``.
    public var description: String { hex }

    /// Orders keys by their bytes.
    public static func < (left: PublicKey, right: PublicKey) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }
}

/// The secret half of an Ed25519 key. Neither interpolation nor `dump` nor `debugPrint` reveals it.
public struct SecretKey: Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    /// The name that its owner gave it.
    public let name: String
    /// The public half.
    public let publicKey: PublicKey
    private let seed: Seed

    /// The 32 secret bytes, stored in one place.
    private final class Seed: Sendable {
        let bytes: [UInt8]
        init(_ bytes: [UInt8]) { self.bytes = bytes }
    }

    /// Generates a new key.
    ///
    /// - Parameter random: Draws 64 unpredictable bits.
    public init(
        name: String, random: () -> UInt64 = { UInt64.random(in: .min ... .max) }
    ) throws(KeyError) {
        try self.init(
            name: name, seed: RandomBits(from: random).bytes + RandomBits(from: random).bytes)
    }

    init(name: String, seed: [UInt8]) throws(KeyError) {
        guard let bytes = Ed25519.publicKey(seed: seed), let publicKey = PublicKey(bytes: bytes)
        else { throw .unavailable }
        self.name = name
        self.publicKey = publicKey
        self.seed = Seed(seed)
    }

    func sign(_ message: [UInt8]) throws(KeyError) -> Signature {
        guard let bytes = Ed25519.sign(message, seed: seed.bytes) else { throw .unavailable }
        return Signature(key: publicKey, bytes: bytes)
    }

    /// The 32 secret bytes.
    var secretBytes: [UInt8] { seed.bytes }

    /// Always `***`.
    public var description: String { "***" }
    /// Always `***`.
    public var debugDescription: String { "***" }
    /// A mirror without children.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension SecretKey {
    /// The version of the format of key files.
    private static let version = 1

    /// The bytes of the key file: a line of JSON.
    var file: [UInt8] {
        let json: JSON = [
            "type": "fti-secret-key", "version": .integer(Self.version), "name": .string(name),
            "public": .string(publicKey.hex), "secret": .string(Hexadecimal.encode(secretBytes)),
        ]
        return json.canonicalBytes + [0x0A]
    }

    /// Decodes a key file, and checks that its two halves match.
    ///
    /// - Throws: `malformed`, which quotes nothing from the file.
    init(file bytes: [UInt8], path: String) throws(KeyError) {
        func malformed(_ reason: String) -> KeyError { .malformed(path: path, reason: reason) }
        guard let object = (try? JSON(parsing: bytes.span))?.object else {
            throw malformed("it is not a JSON object")
        }
        var reader = JSONObjectReader(object)
        guard (try? reader.string("type")) == "fti-secret-key" else {
            throw malformed("its type is not fti-secret-key")
        }
        guard (try? reader.count("version")) == Self.version else {
            throw malformed("its version is unknown to this program")
        }
        guard let name = try? reader.string("name"), KeyName.isValid(name) else {
            throw malformed("its name is not a valid name of a key")
        }
        guard let secret = try? reader.string("secret"), let seed = Hexadecimal.decode(secret),
            seed.count == Ed25519.keySize
        else { throw malformed("secret must be 64 hexadecimal digits") }
        try self.init(name: name, seed: seed)
        guard let stated = try? reader.string("public"), stated == publicKey.hex else {
            throw malformed("public and secret do not match")
        }
    }
}

/// Ed25519 (RFC 8032) with libcrypto, which refuses keys and signatures that implementations could judge differently.
enum Ed25519 {
    static let keySize = 32
    static let signatureSize = 64

    /// The public key of a seed; nil when libcrypto fails.
    static func publicKey(seed: [UInt8]) -> [UInt8]? {
        var key = [UInt8](repeating: 0, count: keySize)
        guard seed.count == keySize, fti_crypto_ed25519_public(seed, &key) == 1 else { return nil }
        return key
    }

    /// The signature of a message; nil when libcrypto fails.
    static func sign(_ message: [UInt8], seed: [UInt8]) -> [UInt8]? {
        var signature = [UInt8](repeating: 0, count: signatureSize)
        guard seed.count == keySize,
            fti_crypto_ed25519_sign(seed, message, message.count, &signature) == 1
        else { return nil }
        return signature
    }

    /// Whether a key made a signature of a message.
    ///
    /// Beyond libcrypto's own checks (S below the order of the group, R canonical), neither the key nor R may be a
    /// point of small order: such a key would verify every message.
    static func verifies(_ signature: [UInt8], of message: [UInt8], key: [UInt8]) -> Bool {
        guard signature.count == signatureSize, isAcceptable(point: key),
            isAcceptable(point: Array(signature[..<keySize]))
        else { return false }
        return fti_crypto_ed25519_verify(key, message, message.count, signature) == 1
    }

    /// Whether 32 bytes can be a public key: a coordinate below the prime of the field, 2^255 - 19, and none of the
    /// eight points whose order divides 8. Verification checks that the point is on the curve.
    static func isAcceptable(point: [UInt8]) -> Bool {
        guard point.count == keySize else { return false }
        // Little-endian; the highest bit is the sign of the other coordinate.
        var coordinate = point
        coordinate[31] &= 0x7F
        if coordinate[31] == 0x7F, coordinate[1..<31].allSatisfy({ $0 == 0xFF }) {
            // 2^255 - 20 has order 2; every larger value of 255 bits is at least the prime.
            return coordinate[0] < 0xEC
        }
        return !smallOrder.contains(coordinate)
    }

    /// The coordinates of the points of order 4, 1 and 8; order 2 is `2^255 - 20`.
    private static let smallOrder: [[UInt8]] = [
        [UInt8](repeating: 0, count: keySize),
        [1] + [UInt8](repeating: 0, count: keySize - 1),
        [
            0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef,
            0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88,
            0x6d, 0x53, 0xfc, 0x05,
        ],
        [
            0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10,
            0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77,
            0x92, 0xac, 0x03, 0x7a,
        ],
    ]
}
