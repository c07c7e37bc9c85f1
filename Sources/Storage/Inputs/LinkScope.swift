internal import Glibc

/// The part of the file system inside which symbolic links are followed without being asked to: what a directory
/// belongs to.
///
/// That is the nearest directory above it, or itself, which a tool marks as its root: one with `.git` (git-annex keeps
/// its objects there) or `.dvc`, or a folder of the Hugging Face cache, whose `snapshots` lead to its `blobs`.
/// Where there is none, it is the directory itself.
struct LinkScope {
    /// The path of the root, without symbolic links.
    let root: [UInt8]
    /// Whether a tool marks it.
    let isMarked: Bool

    /// The scope of a directory.
    ///
    /// - Parameter directory: Its path from the root of the file system, without symbolic links.
    init(of directory: [UInt8]) {
        var path = directory
        var child: ArraySlice<UInt8> = []
        while path.count > 1 {
            if Self.isRoot(path, towards: child) {
                root = path
                isMarked = true
                return
            }
            let slash = path.lastIndex(of: 0x2F) ?? 0
            child = path[(slash + 1)...]
            path = Array(path[..<slash])
        }
        root = directory
        isMarked = false
    }

    private static func isRoot(_ path: [UInt8], towards child: ArraySlice<UInt8>) -> Bool {
        func has(_ name: String) -> Bool {
            withCString(path + [0x2F] + Array(name.utf8)) { access($0, F_OK) == 0 }
        }
        return has(".git") || has(".dvc") || child.elementsEqual("snapshots".utf8) && has("blobs")
    }

    /// Whether a path without symbolic links lies inside.
    func contains(_ path: [UInt8]) -> Bool {
        path.starts(with: root)
            && (path.count == root.count || root.last == 0x2F || path[root.count] == 0x2F)
    }

    /// Where a path leads, without symbolic links; nil where there is nothing, and the error number.
    static func resolve(_ path: [UInt8]) -> (path: [UInt8]?, code: Int32) {
        guard let resolved = withCString(path, { realpath($0, nil) }) else { return (nil, errno) }
        defer { free(resolved) }
        var bytes: [UInt8] = []
        var at = 0
        while resolved[at] != 0 {
            bytes.append(UInt8(bitPattern: resolved[at]))
            at += 1
        }
        return (bytes, 0)
    }
}
