internal import Glibc

/// The class of a failure, which determines the exit code of every executable.
public enum Fault: Sendable, CaseIterable {
    /// The request itself is malformed.
    case usage
    /// No such ref, object, path or repository.
    case missing
    /// Another writer was first.
    case conflict
    /// The access policy, a gate or the namespace of a ref forbids it; or it is unsafe, as with a repository of another
    /// user.
    case refused
    /// The repository is damaged.
    case damaged
    /// The operating system, the disk or the network failed.
    case io
    /// A program that the user named failed, was stopped, or took too long.
    case program
}

/// An error that tells the user what happened, where, and what to do next.
public protocol Diagnosable: Error, Sendable {
    /// The class of the failure.
    var fault: Fault { get }
    /// What happened, and where, without a full stop: one line, or one for each of several entries.
    var message: String { get }
    /// What to do next: a command line where one exists.
    var remedy: String? { get }
}

extension Diagnosable {
    /// Nil: the message itself is enough.
    public var remedy: String? { nil }
}

/// A failed operation on a bucket or a file.
public enum StorageError: Diagnosable, Hashable {
    /// A system call failed; `operation` is a verb phrase.
    case system(operation: String, path: String, errno: Int32)
    /// The new file is visible, but may not survive a power cut.
    case durabilityUnknown(path: String, errno: Int32)
    /// No repository exists at the path.
    case noRepository(path: String)
    /// A repository is not used because it, or one of its folders, is a symbolic link.
    case refused(path: String, reason: String)
    /// A repository belongs to another user. Adding `place` to the file `list` of trusted places would allow its use.
    case foreign(path: String, owner: UInt32, user: UInt32, place: String, list: String?)
    /// A file or directory of a repository is damaged.
    case damaged(path: String, reason: String)
    /// A repository lacks one of its folders.
    case incomplete(path: String, folder: String)
    /// A blob does not exist.
    case missing(path: String)
    /// A path, a file name or a directory entry is not usable.
    case unusable(path: String, reason: String)
    /// Some inputs cannot be stored: the first few of them, and the number of all.
    case unusableEntries([UnusableEntry], count: Int)
    /// A file changed during the read.
    case changed(path: String)
    /// A blob is larger than its limit.
    case tooLarge(path: String, size: Int, limit: Int)
    /// A blob is shorter than expected.
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

    /// Whether the disk or a quota is full.
    public var isOutOfSpace: Bool { code == ENOSPC || code == EDQUOT }

    /// Whether the process ran out of file descriptors or memory; the file itself may be fine.
    public var isOutOfResources: Bool { code == EMFILE || code == ENFILE || code == ENOMEM }

    /// Whether the error concerns only one file or folder, so that a scan of many can go on.
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

    /// Whether a directory is in the place of a file.
    public var isDirectory: Bool { code == EISDIR }

    /// The error number of a failed system call.
    private var code: Int32? {
        if case .system(_, _, let code) = self { code } else { nil }
    }

    /// Whether nothing exists at the path.
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
            "\(path) has \(size) bytes, more than the \(limit) allowed"
        case .truncated(let path, let expected, let actual):
            "\(path) ends at byte \(actual), but should have at least \(expected) bytes"
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
        case .durabilityUnknown: "check the disk, then check whether the log has the transaction"
        case .noRepository(let path): "ftictl init \(path) creates one"
        case .refused: "use the directory itself instead of a link to it"
        case .foreign(_, _, _, let place, let list?):
            "if you trust everyone who can write there, add the line \(place) to \(list)"
        case .foreign: "use a repository of your own"
        case .incomplete(let path, "packs"):
            "mkdir \(path)/packs, then ftictl verify --repair --from COPY with a copy of the repository"
        case .incomplete(_, let folder): "take the folder \(folder) from a copy of the repository"
        case .unusableEntries(let entries, _): UnusableEntry.remedy(for: entries)
        case .changed: "repeat the command when no program writes to that file"
        default: nil
        }
    }

    /// The C library's text for an error number.
    static func describe(_ code: Int32) -> String {
        String(cString: strerror(code)).lowercased()
    }
}
