internal import Glibc
internal import Storage

/// Where the repository is that a command works on.
public enum RepositoryLocation {
    /// The name of a repository's directory beside a project's files.
    public static let directoryName = ".fti"

    /// Finds the repository: the option, else `$FTI_REPO`, else the nearest `.fti` above the working
    /// directory.
    ///
    /// - Throws: `missing` when there is none; says how to make one.
    public static func find(
        option: String?, environment: Environment
    ) throws(CommandError) -> String {
        if let named = option ?? environment.variable("FTI_REPO") {
            guard !named.isEmpty else {
                throw .usage("--repo names no place", remedy: "ftictl --repo .fti refs")
            }
            guard !isURL(named) else {
                // What follows the scheme may hold a password.
                let scheme = named.prefix { $0 != ":" }
                throw .usage(
                    "the repository is named by a URL (\(scheme)://...), and this version opens "
                        + "directories",
                    remedy: "ftictl --repo .fti refs")
            }
            return named
        }
        guard let start = environment.workingDirectory() else {
            throw CommandError(
                .io, "the working directory is gone", remedy: "cd to a directory that exists")
        }
        var directory = start[...]
        while true {
            let candidate = "\(directory)/\(directoryName)"
            if isDirectory(candidate) { return candidate }
            guard let slash = directory.lastIndex(of: "/") else { break }
            directory = directory[..<slash]
        }
        throw .missing(
            "there is no repository in \(start) or above it",
            remedy: "ftictl init, or name one with --repo or $FTI_REPO")
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
