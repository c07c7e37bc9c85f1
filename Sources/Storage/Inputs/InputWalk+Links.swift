internal import Glibc

/// The part of the file system where symbolic links are followed without `--follow`.
///
/// It is the nearest directory, from the given one upwards, that a tool marks as its root: one with `.git` (git-annex
/// keeps its objects there) or `.dvc`, or a folder of the Hugging Face cache, whose `snapshots` link to its `blobs`. If
/// no directory has a mark, it is the given one.
struct LinkScope {
    /// The absolute path of the root, without symbolic links.
    let root: [UInt8]
    /// Whether a tool marks the root.
    let isMarked: Bool

    /// Finds the scope of a directory, given by its absolute path without symbolic links.
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

    /// Whether an absolute path without symbolic links lies inside.
    func contains(_ path: [UInt8]) -> Bool {
        path.starts(with: root)
            && (path.count == root.count || root.last == 0x2F || path[root.count] == 0x2F)
    }
}

extension InputWalk {
    /// The most links to directories that are followed. More are a trap, such as links that double the paths at every
    /// level.
    private static let linkLimit = 10_000
    /// The deepest nesting of links to directories.
    private static let nestingLimit = 32

    /// Whether a path is a link inside a root that a tool marks, and its target lies inside that root, too.
    static func isLinkInScope(_ path: String) -> Bool {
        guard let status = try? FileStatus(of: path, followLink: false), status.kind == .link,
            let (parent, _) = try? Directory.split(path),
            let folder = resolvedPath(Array(parent.utf8)).path,
            let target = resolvedPath(Array(path.utf8)).path
        else { return false }
        let scope = LinkScope(of: folder)
        return scope.isMarked && scope.contains(target)
    }

    /// Follows a symbolic link in a directory, or refuses it.
    mutating func follow(
        _ name: [UInt8], in directory: Directory, below root: InputRoot, _ place: RelativePath,
        _ trail: [[UInt8]]
    ) throws(StorageError) {
        let location = directory.path(of: name)
        let own = [root.absolutePath] + trail[root.linkDepth...]
        let (target, code) = resolvedPath(Array(own.joined(separator: [0x2F])))
        guard let target else {
            return refuse(
                location, .nature,
                "it is a symbolic link, and its target cannot be found: "
                    + StorageError.describe(code))
        }
        guard scope?.contains(target) ?? true else {
            return refuse(
                location, .link,
                "it is a symbolic link that leads out of the directory and its project")
        }
        guard let path = String(validating: target, as: UTF8.self) else {
            return refuse(location, .nature, "it leads to a path that is not valid UTF-8")
        }
        let status = try FileStatus(of: path, followLink: false)
        switch status.kind {
        case .regular:
            let target = InputRoot(
                path, directory: nil, followLink: false, depth: place.names.count,
                linkDepth: trail.count)
            add(InputEntry(place, version: FileVersion(status), below: target))
        case .directory:
            guard rules.verdict(on: trail, isDirectory: true) == .kept else {
                return listing.excluded.add(Self.printable(location))
            }
            guard !way.contains(status.identity) else {
                return refuse(location, .nature, "its symbolic links lead in a circle")
            }
            linkedDirectories += 1
            linkNesting += 1
            defer { linkNesting -= 1 }
            guard linkedDirectories <= Self.linkLimit, linkNesting <= Self.nestingLimit else {
                throw .unusable(path: location, reason: "too many links lead to directories")
            }
            let inside = try Directory(opening: path, followLink: false)
            let target = InputRoot(
                path, directory: inside, followLink: false, depth: place.names.count,
                linkDepth: trail.count)
            try list(inside, below: target, at: place, trail: trail)
        default:
            refuse(
                location, .nature,
                "it leads to \(status.kind), not to a file or a directory")
        }
    }
}
