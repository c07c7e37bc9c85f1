internal import Objects

extension SecretKey {
    /// The version of the format of a key's file.
    private static let version = 1

    /// The bytes of its file: a line of JSON.
    var file: [UInt8] {
        let json: JSON = [
            "type": "fti-secret-key", "version": .integer(Self.version), "name": .string(name),
            "public": .string(publicKey.hex), "secret": .string(Hexadecimal.encode(secretBytes)),
        ]
        return json.canonicalBytes + [0x0A]
    }

    /// Reads a key's file.
    ///
    /// - Throws: `malformed`, which repeats nothing of what is in the file.
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
            throw malformed("its version is one that this program does not know")
        }
        guard let name = try? reader.string("name"), KeyName.isValid(name) else {
            throw malformed("its name is not that of a key")
        }
        guard let secret = try? reader.string("secret"), let seed = Hexadecimal.decode(secret),
            seed.count == Ed25519.keySize
        else { throw malformed("secret must be 64 hexadecimal digits") }
        try self.init(name: name, seed: seed)
        guard let stated = try? reader.string("public"), stated == publicKey.hex else {
            throw malformed("public does not belong to secret")
        }
    }
}
