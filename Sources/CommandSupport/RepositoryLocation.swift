internal import Glibc
internal import Storage

/// Where the repository is that a command works on.
public enum RepositoryLocation {
    /// The name of a repository's directory beside a project's files.
    public static let directoryName = ".fti"

    /// Finds the repository: the option, else `$FTI_REPO`, else the nearest at or above the working directory. What is
    /// named, and each directory on the way up, is the repository or holds it as `.fti`.
    ///
    /// - Throws: `missing` when there is none; says how to make one.
    public static func find(
        option: String?, environment: Environment
    ) throws(CommandError) -> String {
        if let named = option ?? environment.variable("FTI_REPO") {
            guard !named.isEmpty else {
                throw .usage("--repo names no place", remedy: "ftictl --repo .fti refs")
            }
            try refuseURL(named)
            return existing(named)
        }
        guard let start = environment.workingDirectory() else {
            throw CommandError(
                .io, "the working directory is gone", remedy: "cd to a directory that exists")
        }
        var directory = start[...]
        while true {
            let candidate = "\(directory)/\(directoryName)"
            if isDirectory(candidate) { return candidate }
            if isRepository(String(directory)) { return String(directory) }
            guard let slash = directory.lastIndex(of: "/") else { break }
            directory = directory[..<slash]
        }
        throw .missing(
            "there is no repository in \(start) or above it",
            remedy: "ftictl init, or name one with --repo or $FTI_REPO")
    }

    /// Refuses a URL: this version opens directories.
    public static func refuseURL(_ named: String) throws(CommandError) {
        guard isURL(named) else { return }
        // What follows the scheme may hold a password.
        let scheme = named.prefix { $0 != ":" }
        throw .usage(
            "the repository is named by a URL (\(scheme)://...), and this version opens directories",
            remedy: "ftictl --repo .fti refs")
    }

    /// Where a repository is made for a path that a person names: in `.fti` below a directory that exists or is written
    /// with a slash at its end; otherwise, and where the name ends in `.fti`, at the path itself.
    public static func made(for path: String) -> String {
        let isProject = path.utf8.last == UInt8(ascii: "/") || isDirectory(path)
        return isProject && !namesRepository(path) && !isRepository(path) ? inside(path) : path
    }

    /// Where the repository is that a person names, by its own path or by that of the directory that it is in.
    public static func existing(_ path: String) -> String {
        let place = inside(path)
        return !namesRepository(path) && isDirectory(place) ? place : path
    }

    private static func namesRepository(_ path: String) -> Bool {
        let bytes = withoutSlashes(path).utf8
        let name = bytes.suffix(
            from: bytes.lastIndex(of: UInt8(ascii: "/")).map(bytes.index(after:))
                ?? bytes.startIndex)
        return name.suffix(directoryName.utf8.count).elementsEqual(directoryName.utf8)
    }

    /// Whether a directory has what every repository has, under names that no project would have by chance.
    private static func isRepository(_ path: String) -> Bool {
        isDirectory("\(path)/packs")
            && ["log/tip", "log/00000000000000000000.json"].contains {
                access("\(path)/\($0)", F_OK) == 0
            }
    }

    private static func inside(_ path: String) -> String {
        path.utf8.allSatisfy { $0 == UInt8(ascii: "/") }
            ? "/\(directoryName)" : "\(withoutSlashes(path))/\(directoryName)"
    }

    private static func withoutSlashes(_ path: String) -> String {
        var bytes = Array(path.utf8)
        while bytes.count > 1, bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Whether a text has the form `scheme://`, which no path that a person types has.
    private static func isURL(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        let scheme = bytes.prefix {
            (0x61...0x7A).contains($0 | 0x20) || (0x30...0x39).contains($0)
        }
        return !scheme.isEmpty && bytes.dropFirst(scheme.count).starts(with: "://".utf8)
    }

    private static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}
