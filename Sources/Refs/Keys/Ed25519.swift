internal import CCrypto

/// Ed25519 (RFC 8032) by libcrypto, strict: what several readers could judge differently is refused.
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

    /// Whether a signature is that of a message by a key.
    ///
    /// Beyond libcrypto's own checks (S below the group's order, R canonical), neither the key nor R may be a point
    /// of small order: such a key would have signed every message.
    static func verifies(_ signature: [UInt8], of message: [UInt8], key: [UInt8]) -> Bool {
        guard signature.count == signatureSize, isAcceptable(point: key),
            isAcceptable(point: Array(signature[..<keySize]))
        else { return false }
        return fti_crypto_ed25519_verify(key, message, message.count, signature) == 1
    }

    /// Whether 32 bytes can be a public key: a coordinate below the field's prime, 2^255 - 19, and none of the eight
    /// points whose order divides 8. That it is on the curve at all shows when something is verified.
    static func isAcceptable(point: [UInt8]) -> Bool {
        guard point.count == keySize else { return false }
        // Little-endian, and the highest bit is the sign of the other coordinate.
        var coordinate = point
        coordinate[31] &= 0x7F
        if coordinate[31] == 0x7F, coordinate[1..<31].allSatisfy({ $0 == 0xFF }) {
            // From 2^255 - 20, which has order 2, over the prime to the largest that 255 bits can hold.
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
