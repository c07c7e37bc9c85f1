internal import Objects
public import Storage

/// The keys of one user: the secret ones that the user signs with, and the public ones that the user trusts to begin
/// a policy.
///
/// A folder such as `~/.config/fti`: `keys/NAME.key` for each secret key, `keys/default` with the name of the one
/// that signs unless another is chosen, `trusted` with one public key and its name on each line.
public struct Keyring: Sendable {
    private let folder: PrivateFolder
    private let keys: PrivateFolder

    private static let suffix = ".key"
    private static let defaultFile = "default"
    private static let trustedFile = "trusted"
    /// A key's file has some 200 bytes; nothing here is large.
    private static let byteLimit = 64 << 10

    /// The keys below a folder, whether or not there is one; the path is absolute.
    public init(_ path: String) {
        folder = PrivateFolder(path)
        keys = PrivateFolder("\(path)/keys")
    }

    /// The names of the secret keys.
    public func names() throws(KeyError) -> [String] {
        do {
            return try keys.names(suffix: Self.suffix).map {
                String($0.dropLast(Self.suffix.count))
            }
            .filter(KeyName.isValid)
        } catch { throw .storage(error) }
    }

    /// The name of the key that signs unless another is chosen: the only one, or the one that was made the default;
    /// nil when there is none.
    ///
    /// - Throws: `ambiguous` when there are several.
    public func defaultName() throws(KeyError) -> String? {
        let names = try names()
        if let content = try read(Self.defaultFile, in: keys) {
            let name = String(decoding: content.bytes.prefix { $0 > 0x20 }, as: UTF8.self)
            if names.contains(where: { $0.utf8.elementsEqual(name.utf8) }) { return name }
        }
        guard names.count > 1 else { return names.first }
        throw .ambiguous(names: names)
    }

    /// Makes a key the one that signs unless another is chosen.
    public func makeDefault(_ name: String) throws(KeyError) {
        _ = try secretKey(named: name)
        do {
            try keys.replace(Self.defaultFile, Array("\(name)\n".utf8))
        } catch { throw .storage(error) }
    }

    /// A secret key by its name.
    ///
    /// - Throws: `unknown`; `exposed` when others can read its file, `exposedFolder` when they can read or write the
    ///   folder; `malformed`.
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

    /// Draws a new key and keeps it, durably. The first one is the default from then on.
    ///
    /// - Throws: `exists` when there is one of this name: a key is never overwritten; `exposedFolder`.
    public func create(_ name: String) throws(KeyError) -> SecretKey {
        guard KeyName.isValid(name) else { throw .invalidName(Quoting.quoted(name)) }
        try requirePrivate()
        let isFirst = try names().isEmpty
        let key = try SecretKey(name: name)
        do {
            guard try keys.create("\(name)\(Self.suffix)", key.file) else {
                throw KeyError.exists(name: name, path: "\(keys.path)/\(name)\(Self.suffix)")
            }
            if isFirst { try keys.replace(Self.defaultFile, Array("\(name)\n".utf8)) }
        } catch let error as StorageError {
            throw .storage(error)
        } catch let error as KeyError {
            throw error
        } catch { throw .unavailable }
        return key
    }

    /// The keys that a policy may begin with, and what the user calls them.
    ///
    /// - Throws: `malformed` when a line is not one; `exposed` when others can write the file.
    public func trusted() throws(KeyError) -> [(key: PublicKey, name: String)] {
        guard let content = try read(Self.trustedFile, in: folder) else { return [] }
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

    /// Trusts a key to begin a policy, or trusts it no more.
    ///
    /// - Parameter name: What to call it; nil forgets it.
    public func trust(_ key: PublicKey, as name: String?) throws(KeyError) {
        var trusted = try trusted().filter { $0.key != key }
        if let name { trusted.append((key, name)) }
        let lines = trusted.map { "\($0.key.hex) \($0.name)\n" }.joined()
        do {
            try folder.replace(Self.trustedFile, Array(lines.utf8))
        } catch { throw .storage(error) }
    }

    /// Refuses a folder in which others could read keys, or put theirs.
    private func requirePrivate() throws(KeyError) {
        let isPrivate: Bool?
        do {
            isPrivate = try keys.isPrivate()
        } catch { throw .storage(error) }
        guard isPrivate ?? true else { throw .exposedFolder(path: keys.path) }
    }

    private static func secretKey(
        _ name: String, in folder: PrivateFolder
    ) throws(KeyError) -> SecretKey? {
        let content: PrivateFolder.Content?
        do {
            content = try folder.read(name, limit: byteLimit)
        } catch { throw .storage(error) }
        guard let content else { return nil }
        let path = "\(folder.path)/\(name)"
        guard content.isPrivate else { throw .exposed(path: path) }
        return try SecretKey(file: content.bytes, path: path)
    }

    private func read(
        _ name: String, in folder: PrivateFolder
    ) throws(KeyError) -> PrivateFolder.Content? {
        do {
            return try folder.read(name, limit: Self.byteLimit)
        } catch { throw .storage(error) }
    }
}

/// What may be the name of a key.
enum KeyName {
    /// The most bytes that a name may have.
    static let byteLimit = 64

    /// Whether a text matches `[a-z0-9][a-z0-9._-]*` and is not too long.
    static func isValid(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard let first = bytes.first, bytes.count <= byteLimit, isAlphanumeric(first) else {
            return false
        }
        return bytes.allSatisfy {
            isAlphanumeric($0) || $0 == 0x2E || $0 == 0x5F || $0 == 0x2D
        }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x61...0x7A: true
        default: false
        }
    }
}

/// Why a key cannot be had or used.
public enum KeyError: Diagnosable, Hashable {
    /// libcrypto cannot compute signatures.
    case unavailable
    /// No key of this name is there.
    case unknown(name: String)
    /// Text is not the name of a key; it is quoted already.
    case invalidName(String)
    /// There is a key of this name already.
    case exists(name: String, path: String)
    /// The file is not that of a key.
    case malformed(path: String, reason: String)
    /// Others than its owner can read the file, or write one that they should not.
    case exposed(path: String)
    /// The folder of keys belongs to another user, or others than its owner can read or write it.
    case exposedFolder(path: String)
    /// A signature is needed, and there is no key.
    case none
    /// A signature is needed, and it is not clear by which key.
    case ambiguous(names: [String])
    /// The file cannot be read or written.
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
        case .malformed(let path, let reason): "\(path) is not the file of a key: \(reason)"
        case .exposed(let path): "\(path) is open to others than its owner, so it is not used"
        case .exposedFolder(let path):
            "\(path) is open to others than its owner, so no key in it is used"
        case .none: "this repository takes signed transactions only, and you have no key"
        case .ambiguous(let names):
            "this repository takes signed transactions only, and you have several keys: "
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
            "ftictl key new NAME, and let an admin run the ftictl key grant that it prints"
        case .ambiguous(let names): "FTI_KEY=\(names.first ?? "NAME") names the one to use"
        case .storage(let error): error.remedy
        }
    }
}
