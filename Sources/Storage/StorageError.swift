internal import Glibc

/// Why a bucket or a file could not do what it was asked.
public enum StorageError: Diagnosable, Hashable {
    /// A system call failed: `operation` as a verb phrase, the path it was for, and `errno`.
    case system(operation: String, path: String, errno: Int32)
    /// What was written is visible under its name, but whether it survives a power cut is unknown.
    case durabilityUnknown(path: String, errno: Int32)
    /// There is no repository at the path.
    case noRepository(path: String)
    /// A repository may not be used, because of whose it is or how it is laid out.
    case refused(path: String, reason: String)
    /// A repository belongs to another user; `place` is what the user's `list` of trusted places would have to hold.
    case foreign(path: String, owner: UInt32, user: UInt32, place: String, list: String?)
    /// A file or directory of a repository is not what it must be.
    case damaged(path: String, reason: String)
    /// A repository has lost one of its folders.
    case incomplete(path: String, folder: String)
    /// A blob that must be there is not.
    case missing(path: String)
    /// A file name or a directory entry cannot be used.
    case unusable(path: String, reason: String)
    /// Entries of what is to be stored cannot be: the first of them, and how many there are.
    case unusableEntries([UnusableEntry], count: Int)
    /// A file changed while it was read.
    case changed(path: String)
    /// A blob is larger than what may be read at once.
    case tooLarge(path: String, size: Int, limit: Int)
    /// A blob is shorter than its description says.
    case truncated(path: String, expected: Int, actual: Int)

    /// See ``Diagnosable``.
    public var fault: Fault {
        switch self {
        case .system, .changed, .durabilityUnknown: .io
        case .missing, .noRepository: .missing
        case .unusable, .unusableEntries: .usage
        case .refused, .foreign: .refused
        case .tooLarge, .truncated, .damaged, .incomplete: .damaged
        }
    }

    /// Whether more space would have helped.
    public var isOutOfSpace: Bool {
        switch self {
        case .system(_, _, ENOSPC), .system(_, _, EDQUOT): true
        default: false
        }
    }

    /// Whether the process had no means to go on, such as open files or memory: nothing is wrong with what it asked for.
    public var isOutOfMeans: Bool {
        switch self {
        case .system(_, _, EMFILE), .system(_, _, ENFILE), .system(_, _, ENOMEM): true
        default: false
        }
    }

    /// Whether it is about this one file or folder, so that whoever looks at many can go on with the others.
    public var concernsOneFile: Bool {
        switch self {
        case .damaged, .refused, .unusable, .tooLarge, .truncated, .missing: true
        case .system(_, _, let code):
            [
                EACCES, EPERM, EIO, ELOOP, ENOTDIR, EISDIR, ENOTEMPTY, EEXIST, ENXIO, ENODEV,
                EBUSY, EINVAL,
            ].contains(code)
        default: false
        }
    }

    /// Whether a directory stands where a file is expected.
    public var isNoFile: Bool {
        if case .system(_, _, EISDIR) = self { true } else { false }
    }

    /// Whether there is nothing at the path.
    public var isAbsence: Bool {
        switch self {
        case .system(_, _, ENOENT), .missing: true
        default: false
        }
    }

    /// See ``Diagnosable``.
    public var message: String {
        switch self {
        case .system(let operation, let path, let code):
            "cannot \(operation) \(path): \(Self.describe(code))"
        case .durabilityUnknown(let path, let code):
            "\(path) is visible, but may not survive a power cut: \(Self.describe(code))"
        case .noRepository(let path): "there is no repository at \(path)"
        case .refused(let path, let reason): "will not use \(path): \(reason)"
        case .foreign(let path, let owner, let user, _, _):
            "will not use \(path): it belongs to user \(owner), and you are user \(user)"
        case .damaged(let path, let reason): "\(path) is damaged: \(reason)"
        case .incomplete(let path, let folder): "\(path) is damaged: it has no folder \(folder)"
        case .missing(let path): "there is no \(path)"
        case .unusable(let path, let reason): "cannot use \(path.isEmpty ? "''" : path): \(reason)"
        case .unusableEntries(let entries, let count):
            count == 1
                ? entries.map { "cannot store \($0)" }.joined()
                : (["cannot store \(count) entries"] + entries.map(\.description)
                    + (count > entries.count ? ["and \(count - entries.count) more"] : []))
                    .joined(separator: "\n")
        case .changed(let path): "\(path) changed while it was read"
        case .tooLarge(let path, let size, let limit):
            "\(path) has \(size) bytes, more than the \(limit) that are allowed"
        case .truncated(let path, let expected, let actual):
            "\(path) ends at byte \(actual), where \(expected) bytes are expected"
        }
    }

    /// See ``Diagnosable``.
    public var remedy: String? {
        switch self {
        case .system(_, _, ENOSPC), .system(_, _, EDQUOT):
            "free some space, then repeat the command"
        case .system(_, _, EFBIG):
            "raise the limit on file sizes (ulimit -f), then repeat the command"
        case .system(_, _, EMFILE), .system(_, _, ENFILE):
            "raise the limit on open files (ulimit -n), then repeat the command"
        case .system(_, _, EACCES), .system(_, _, EPERM), .system(_, _, EROFS):
            "check the permissions of that path"
        case .durabilityUnknown: "check the disk, then look whether the transaction is in the log"
        case .noRepository(let path): "ftictl init \(path) makes one"
        case .refused: "name a repository of your own by its own path"
        case .foreign(_, _, _, let place, let list?):
            "if you trust whoever can write there, add the line \(place) to \(list)"
        case .foreign: "name a repository of your own by its own path"
        case .incomplete(let path, "packs"):
            "mkdir \(path)/packs, then ftictl verify --repair --from COPY, where COPY is one of it"
        case .incomplete(_, let folder): "take the folder \(folder) from a copy of the repository"
        case .unusableEntries(let entries, _): UnusableEntry.remedy(for: entries)
        case .changed: "repeat the command when nothing writes to that file"
        default: nil
        }
    }

    /// The C library's text for an error number.
    static func describe(_ code: Int32) -> String {
        String(cString: strerror(code)).lowercased()
    }
}
