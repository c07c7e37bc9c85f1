internal import Glibc
internal import Storage

/// An entry of a folder. In this target, only this file makes system calls.
struct FolderEntry {
    enum Kind {
        case file, folder, link, other
    }

    /// The entry's name; nil when it is not UTF-8.
    let name: String?
    /// The entry's kind; links are not followed.
    let kind: Kind

    /// The entries of a folder in no particular order, without `.` and `..`.
    static func list(_ path: String) throws(StorageError) -> [FolderEntry] {
        guard let folder = opendir(path) else { throw failure("list", path) }
        defer { closedir(folder) }
        var result: [FolderEntry] = []
        while true {
            errno = 0
            guard let entry = readdir(folder) else {
                if errno != 0 { throw failure("list", path) }
                return result
            }
            let bytes = withUnsafeBytes(of: &entry.pointee.d_name) { name in
                Array(name.prefix { $0 != 0 })
            }
            if bytes == [0x2E] || bytes == [0x2E, 0x2E] { continue }
            guard let name = String(validating: bytes, as: UTF8.self) else {
                result.append(FolderEntry(name: nil, kind: .other))
                continue
            }
            if let kind = try kind(of: "\(path)/\(name)", isLinkFollowed: false) {
                result.append(FolderEntry(name: name, kind: kind))
            }
        }
    }

    /// The kind of the entry at a path; nil when there is none.
    static func kind(of path: String, isLinkFollowed: Bool) throws(StorageError) -> Kind? {
        var status = Glibc.stat()
        let result = isLinkFollowed ? stat(path, &status) : lstat(path, &status)
        guard result == 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw failure("examine", path)
        }
        return switch status.st_mode & S_IFMT {
        case S_IFREG: .file
        case S_IFDIR: .folder
        case S_IFLNK: .link
        default: .other
        }
    }

    private static func failure(_ operation: String, _ path: String) -> StorageError {
        .system(operation: operation, path: path, errno: errno)
    }
}
