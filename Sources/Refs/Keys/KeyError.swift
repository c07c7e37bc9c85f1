public import Storage

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
