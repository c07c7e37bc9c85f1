internal import CPosix
internal import Glibc
internal import Objects
internal import Refs
internal import Storage

/// The environment of the process. Commands read it only through this type.
public enum Environment {
    /// The value of an environment variable; nil if it is unset or empty.
    public static func variable(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }

    /// All environment variables.
    public static var all: [String: String] {
        var result: [String: String] = [:]
        guard var next = fti_environment() else { return result }
        while let text = next.pointee {
            let entry = String(cString: text)
            if let mark = entry.utf8.firstIndex(of: UInt8(ascii: "=")) {
                result[String(entry[..<mark])] = String(entry[entry.utf8.index(after: mark)...])
            }
            next += 1
        }
        return result
    }

    /// Whether an environment variable is set, even if it is empty.
    static func isSet(_ name: String) -> Bool { getenv(name) != nil }

    /// The absolute path of the working directory; nil if it no longer exists.
    static func workingDirectory() -> String? { owned(getcwd(nil, 0)) }

    /// Copies and frees a text that the C library allocated.
    private static func owned(_ text: UnsafeMutablePointer<CChar>?) -> String? {
        defer { free(text) }
        return text.map { String(cString: $0) }
    }

    /// The name under which the user's files about a repository are kept: the same for every path to it.
    static func nameOfPlace(_ path: String) -> String {
        let place = Array((owned(realpath(path, nil)) ?? path).utf8)
        return String(ObjectID(of: place.span).hex.prefix(32))
    }

    /// The author of transactions: `$FTI_AUTHOR`, else the user and the host.
    static var author: String {
        if let author = variable("FTI_AUTHOR") { return author }
        let user = variable("USER") ?? variable("LOGNAME") ?? "user-\(getuid())"
        return host.map { "\(user)@\($0)" } ?? user
    }

    /// The name of this process among those of other hosts: the host and the number of the process.
    public static var processName: String { "\(host ?? "host")-\(getpid())" }

    /// The name of the host; nil where it has none.
    private static var host: String? {
        var name = utsname()
        guard uname(&name) == 0 else { return nil }
        let host = withUnsafeBytes(of: name.nodename) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        return host.isEmpty ? nil : host
    }
}

/// A user's directories, by the XDG base directory specification.
enum UserFolder {
    /// Files that may be deleted at any time: `$XDG_CACHE_HOME`, else `~/.cache`.
    case cache
    /// The user's keys, trusted keys and trusted directories: `$XDG_CONFIG_HOME`, else `~/.config`.
    case configuration
    /// State between runs: `$XDG_STATE_HOME`, else `~/.local/state`.
    case state

    private var place: (variable: String, inHome: String) {
        switch self {
        case .cache: ("XDG_CACHE_HOME", ".cache")
        case .configuration: ("XDG_CONFIG_HOME", ".config")
        case .state: ("XDG_STATE_HOME", ".local/state")
        }
    }

    /// The subdirectory `fti`; nil without a home directory.
    var path: String? {
        // The specification says to ignore relative paths.
        let named = Environment.variable(place.variable).flatMap(Self.absolute)
        let home = Environment.variable("HOME").flatMap(Self.absolute)
        return (named ?? home.map { "\($0)/\(place.inHome)" }).map { "\($0)/fti" }
    }

    private static func absolute(_ path: String) -> String? {
        path.utf8.first == UInt8(ascii: "/") ? path : nil
    }
}

/// Finds the repository that a command works on.
public enum RepositoryLocation {
    /// The name of the repository's directory within a project.
    public static let directoryName = ".fti"

    /// Finds the repository: the option, else `$FTI_REPO`, else the nearest in or above the working directory. Each
    /// candidate is the repository itself or contains it as `.fti`. Does not check that a given path exists.
    ///
    /// - Throws: `usage` if the given path is empty or a URL; `missing`, with a remedy that creates a repository, if no
    ///   path is given and none is found; `io` if the working directory no longer exists.
    static func find(option: String?) throws(CommandError) -> String {
        if let named = option ?? Environment.variable("FTI_REPO") {
            guard !named.isEmpty else {
                throw .usage(
                    "the path of the repository is empty", remedy: "ftictl --repo .fti refs")
            }
            try refuseURL(named)
            return existing(named)
        }
        guard let start = Environment.workingDirectory() else {
            throw CommandError(
                .io, "the working directory no longer exists",
                remedy: "cd to a directory that exists")
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
            "no repository found in \(start) or any parent directory",
            remedy: "ftictl init creates one; --repo or $FTI_REPO names one elsewhere")
    }

    /// Refuses a URL: this version opens only directories.
    public static func refuseURL(_ named: String) throws(CommandError) {
        guard isURL(named) else { return }
        // The rest of the URL may contain a password, so the message omits it.
        let scheme = named.prefix { $0 != ":" }
        throw .usage(
            "cannot open \(scheme)://...: this version opens only local directories",
            remedy: "ftictl --repo .fti refs")
    }

    /// The path at which to create a repository: `.fti` below the given path if that is a directory or ends in a slash,
    /// unless its name ends in `.fti` or it is already a repository; otherwise the given path itself.
    public static func made(for path: String) -> String {
        let isProject = path.utf8.last == UInt8(ascii: "/") || isDirectory(path)
        return isProject && !namesRepository(path) && !isRepository(path) ? inside(path) : path
    }

    /// The path of a repository that is named by its own path or by the directory that contains it.
    public static func existing(_ path: String) -> String {
        let place = inside(path)
        return !namesRepository(path) && isDirectory(place) ? place : path
    }

    private static func namesRepository(_ path: String) -> Bool {
        withoutSlashes(path).utf8.suffix(directoryName.utf8.count).elementsEqual(directoryName.utf8)
    }

    /// Whether a directory contains files that only a repository has.
    private static func isRepository(_ path: String) -> Bool {
        isDirectory("\(path)/packs")
            && ["log/tip", "log/00000000000000000000.json"].contains {
                access("\(path)/\($0)", F_OK) == 0
            }
    }

    private static func inside(_ path: String) -> String {
        let folder = withoutSlashes(path)
        return (folder.utf8.elementsEqual("/".utf8) ? "" : folder) + "/\(directoryName)"
    }

    private static func withoutSlashes(_ path: String) -> String {
        var bytes = Array(path.utf8)
        while bytes.count > 1, bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Whether a text begins with `scheme://`, which nobody types as the path of a directory.
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
