internal import Glibc
internal import Storage

/// Questions about paths.
enum FilePlace {
    /// The absolute path without symbolic links; nil if nothing exists there.
    static func resolved(_ path: String) -> String? {
        guard let text = realpath(path, nil) else { return nil }
        defer { free(text) }
        return String(cString: text)
    }

    /// A path that may be relative to a folder.
    static func located(_ path: String, in folder: String) -> String {
        path.utf8.first == UInt8(ascii: "/") ? path : "\(folder)/\(path)"
    }

    /// The last component.
    static func name(of path: String) -> String {
        path.split(separator: "/").last.map(String.init) ?? path
    }

    /// The path without its last component.
    static func parent(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")), slash > path.startIndex
        else { return "/" }
        return String(path[..<slash])
    }

    /// Whether an absolute path without symbolic links is another one, or lies below it.
    static func contains(_ outer: String, _ inner: String) -> Bool {
        let start = outer.utf8.last == UInt8(ascii: "/") ? outer : outer + "/"
        return inner.utf8.elementsEqual(outer.utf8) || inner.utf8.starts(with: start.utf8)
    }

    private static func type(of path: String, followLink: Bool = true) -> mode_t? {
        var status = stat()
        guard (followLink ? stat(path, &status) : lstat(path, &status)) == 0 else { return nil }
        return status.st_mode & S_IFMT
    }

    static func isFile(_ path: String) -> Bool { type(of: path) == S_IFREG }
    static func isFolder(_ path: String) -> Bool { type(of: path) == S_IFDIR }
    static func isLink(_ path: String) -> Bool { type(of: path, followLink: false) == S_IFLNK }
    static func exists(_ path: String) -> Bool { type(of: path) != nil }

    /// The target of a symbolic link, as it is written.
    static func target(of link: String) -> String? {
        var text = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = readlink(link, &text, text.count)
        return count < 0 ? nil : String(decoding: text[..<count], as: UTF8.self)
    }

    /// When the content of a folder last changed, in nanoseconds since 1970.
    static func modified(_ path: String) -> Int {
        var status = stat()
        guard stat(path, &status) == 0 else { return 0 }
        return status.st_mtim.tv_sec * 1_000_000_000 + status.st_mtim.tv_nsec
    }

    /// The beginning of a text file, even one of the kernel, whose size is unknown; nil if it cannot be read.
    static func text(of path: String, limit: Int) -> String? {
        guard let file = try? InputFile(opening: path, followLink: true) else { return nil }
        var bytes: [UInt8] = []
        do throws(StorageError) {
            try file.forEachPart { (part) throws(StorageError) in
                guard bytes.count < limit else { return }
                bytes += part
            } failing: {
                $0
            }
        } catch { return nil }
        return String(decoding: bytes.prefix(limit), as: UTF8.self)
    }
}
