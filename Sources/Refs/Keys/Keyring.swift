internal import Objects
public import Storage

/// The keys of one user: secret keys to sign with, and public keys of those whom the user trusts to found repositories.
///
/// A folder such as `~/.config/fti` contains `keys/NAME.key` for each secret key, `keys/default` with the name of the
/// default key, and `trusted` with a public key and its name on each line.
public struct Keyring: Sendable {
    private let folder: PrivateFolder
    private let keys: PrivateFolder

    private static let suffix = ".key"
    private static let defaultFile = "default"
    private static let trustedFile = "trusted"
    /// The maximum number of bytes of any file in the folder; the file of a key has about 200.
    private static let byteLimit = 64 << 10

    /// Makes the keyring of a folder, given by its absolute path; the folder need not exist.
    public init(_ path: String) {
        folder = PrivateFolder(path)
        keys = PrivateFolder("\(path)/keys")
    }

    /// The names of the secret keys.
    public func names() throws(KeyError) -> [String] {
        try wrapping(keys.names(suffix: Self.suffix), as: KeyError.storage)
            .map { String($0.dropLast(Self.suffix.count)) }.filter(KeyName.isValid)
    }

    /// The name of the default key: the chosen one, or the only one; nil when there is no key.
    ///
    /// - Throws: `ambiguous` when there are several keys and none is chosen.
    public func defaultName() throws(KeyError) -> String? {
        let names = try names()
        if let content = try Self.read(Self.defaultFile, in: keys) {
            let name = String(decoding: content.bytes.prefix { $0 > 0x20 }, as: UTF8.self)
            if names.contains(where: { $0.utf8.elementsEqual(name.utf8) }) { return name }
        }
        guard names.count > 1 else { return names.first }
        throw .ambiguous(names: names)
    }

    /// Makes a key the default; throws as ``secretKey(named:)`` when the key is unusable.
    public func makeDefault(_ name: String) throws(KeyError) {
        _ = try secretKey(named: name)
        try writeDefault(name)
    }

    private func writeDefault(_ name: String) throws(KeyError) {
        try wrapping(
            keys.replace(Self.defaultFile, Array("\(name)\n".utf8)), as: KeyError.storage)
    }

    /// A secret key by its name.
    ///
    /// - Throws: `invalidName`; `unknown`; `exposed` when other users can read its file, `exposedFolder` when they can
    ///   read or write the folder; `malformed`.
    public func secretKey(named name: String) throws(KeyError) -> SecretKey {
        guard KeyName.isValid(name) else { throw .invalidName(Quoting.quoted(name)) }
        try requirePrivate()
        guard let key = try Self.secretKey("\(name)\(Self.suffix)", in: keys) else {
            throw .unknown(name: name)
        }
        return key
    }

    /// A secret key by the path of its file.
    ///
    /// - Throws: `unknown`, `exposed` and `malformed`, as ``secretKey(named:)``.
    public static func secretKey(at path: String) throws(KeyError) -> SecretKey {
        let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
        let folder = slash.map { String(path[..<$0]) } ?? "."
        let name = slash.map { String(path[path.utf8.index(after: $0)...]) } ?? path
        guard let key = try secretKey(name, in: PrivateFolder(folder.isEmpty ? "/" : folder)) else {
            throw .unknown(name: path)
        }
        return key
    }

    /// Generates a new key and stores it durably. The first key becomes the default.
    ///
    /// - Throws: `exists` when there is one of this name, because a key is never overwritten; `exposedFolder`.
    public func create(_ name: String) throws(KeyError) -> SecretKey {
        guard KeyName.isValid(name) else { throw .invalidName(Quoting.quoted(name)) }
        try requirePrivate()
        let isFirst = try names().isEmpty
        let key = try SecretKey(name: name)
        let file = name + Self.suffix
        guard try wrapping(keys.create(file, key.file), as: KeyError.storage) else {
            throw .exists(name: name, path: "\(keys.path)/\(file)")
        }
        if isFirst { try writeDefault(name) }
        return key
    }

    /// The keys that may found a repository, with the user's names for them.
    ///
    /// - Throws: `malformed` when a line does not begin with a public key; `exposed` when other users can write the
    ///   file.
    public func trusted() throws(KeyError) -> [(key: PublicKey, name: String)] {
        guard let content = try Self.read(Self.trustedFile, in: folder) else { return [] }
        let path = "\(folder.path)/\(Self.trustedFile)"
        guard content.isOwn else { throw .exposed(path: path) }
        var trusted: [(PublicKey, String)] = []
        for line in content.bytes.split(separator: 0x0A) {
            let words = line.split(separator: 0x20, maxSplits: 1)
            guard let key = PublicKey(hex: String(decoding: words[0], as: UTF8.self)) else {
                throw .malformed(path: path, reason: "a line does not begin with a public key")
            }
            trusted.append(
                (key, words.count > 1 ? String(decoding: words[1], as: UTF8.self) : ""))
        }
        return trusted
    }

    /// Adds a key to the trusted ones, or removes it.
    ///
    /// - Parameter name: The user's name for it; nil to remove it.
    public func trust(_ key: PublicKey, as name: String?) throws(KeyError) {
        var trusted = try trusted().filter { $0.key != key }
        if let name { trusted.append((key, name)) }
        let lines = trusted.map { "\($0.key.hex) \($0.name)\n" }.joined()
        try wrapping(folder.replace(Self.trustedFile, Array(lines.utf8)), as: KeyError.storage)
    }

    /// Refuses a folder in which other users could read or place keys.
    private func requirePrivate() throws(KeyError) {
        guard try wrapping(keys.isPrivate(), as: KeyError.storage) ?? true else {
            throw .exposedFolder(path: keys.path)
        }
    }

    private static func secretKey(
        _ name: String, in folder: PrivateFolder
    ) throws(KeyError) -> SecretKey? {
        guard let content = try read(name, in: folder) else { return nil }
        let path = "\(folder.path)/\(name)"
        guard content.isPrivate else { throw .exposed(path: path) }
        return try SecretKey(file: content.bytes, path: path)
    }

    private static func read(
        _ name: String, in folder: PrivateFolder
    ) throws(KeyError) -> PrivateFolder.Content? {
        try wrapping(folder.read(name, limit: byteLimit), as: KeyError.storage)
    }
}

/// The rules for the names of keys.
enum KeyName {
    /// The maximum number of bytes that a name may have.
    static let byteLimit = 64

    /// Whether a text matches `[a-z0-9][a-z0-9._-]*` and is at most ``byteLimit`` bytes long.
    static func isValid(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard let first = bytes.first, bytes.count <= byteLimit else { return false }
        return first.isAlphanumeric && bytes.allSatisfy { $0.isNameByte && !$0.isCapital }
    }
}

/// An error of the keyring or of signing.
public enum KeyError: Diagnosable, Hashable {
    /// libcrypto cannot compute signatures.
    case unavailable
    /// There is no key of this name.
    case unknown(name: String)
    /// A text, which is quoted already, cannot be the name of a key.
    case invalidName(String)
    /// There is a key of this name already.
    case exists(name: String, path: String)
    /// A file is not the file of a key.
    case malformed(path: String, reason: String)
    /// Other users can read the file of a key, or write a file that only its owner should.
    case exposed(path: String)
    /// The folder of keys belongs to another user, or other users can read or write it.
    case exposedFolder(path: String)
    /// A signature is required, and there is no key.
    case none
    /// A signature is required, and there are several keys and no default.
    case ambiguous(names: [String])
    /// A file cannot be read or written.
    case storage(StorageError)

    /// See ``Diagnosable``.
    public var fault: Fault {
        switch self {
        case .unavailable: .io
        case .unknown: .missing
        case .invalidName, .exists, .malformed: .usage
        case .exposed, .exposedFolder, .none, .ambiguous: .refused
        case .storage(let error): error.fault
        }
    }

    /// See ``Diagnosable``.
    public var message: String {
        switch self {
        case .unavailable: "libcrypto cannot compute Ed25519 signatures here"
        case .unknown(let name): "there is no key \(name)"
        case .invalidName(let text):
            "\(text) is not the name of a key: at most 64 of a-z, 0-9, '.', '_' and '-', beginning "
                + "with a letter or a digit"
        case .exists(let name, let path): "there is a key \(name) already, in \(path)"
        case .malformed(let path, let reason): "\(path) is not a key file: \(reason)"
        case .exposed(let path): "\(path) is accessible to other users, so it is not used"
        case .exposedFolder(let path):
            "\(path) is accessible to other users, so no key in it is used"
        case .none: "this repository accepts only signed transactions, and you have no key"
        case .ambiguous(let names):
            "this repository accepts only signed transactions, and you have several keys: "
                + names.joined(separator: ", ")
        case .storage(let error): error.message
        }
    }

    /// See ``Diagnosable``.
    public var remedy: String? {
        switch self {
        case .unavailable: nil
        case .unknown, .exists, .malformed: "ftictl key list"
        case .invalidName: "ftictl key new ada"
        case .exposed(let path): "chmod 600 \(path)"
        case .exposedFolder(let path): "chmod 700 \(path)"
        case .none:
            "ftictl key new NAME, then ask an admin to run the ftictl key grant that it prints"
        case .ambiguous(let names): "FTI_KEY=\(names.first ?? "NAME") chooses the key to use"
        case .storage(let error): error.remedy
        }
    }
}
