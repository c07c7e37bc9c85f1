internal import Glibc
public import Objects
internal import Refs

/// What a command learns from the process it runs in. Nothing else reads the environment.
public struct Environment: Sendable {
    /// The value of an environment variable; nil when it is not set or empty.
    public var variable: @Sendable (String) -> String?
    /// Whether an environment variable is set, be it empty.
    public var isSet: @Sendable (String) -> Bool
    /// The absolute path of the working directory.
    public var workingDirectory: @Sendable () -> String?
    /// The absolute path without links that stands for the same file; nil when there is none.
    public var canonicalPath: @Sendable (String) -> String?
    /// The present time.
    public var now: @Sendable () -> Timestamp

    /// The environment of this process.
    public static let process = Environment(
        variable: { name in
            guard let value = getenv(name), value.pointee != 0 else { return nil }
            return String(cString: value)
        },
        isSet: { getenv($0) != nil },
        workingDirectory: {
            guard let path = getcwd(nil, 0) else { return nil }
            defer { free(path) }
            return String(cString: path)
        },
        canonicalPath: { path in
            guard let resolved = realpath(path, nil) else { return nil }
            defer { free(resolved) }
            return String(cString: resolved)
        },
        now: Writer.systemClock)

    /// What files of the user about a repository are called: two names of one place are one place.
    func nameOfPlace(_ path: String) -> String {
        let place = Array((canonicalPath(path) ?? path).utf8)
        return String(ObjectID(of: place.span).hex.prefix(32))
    }

    /// Who writes: `$FTI_AUTHOR`, else the user and the host.
    public var author: String {
        if let author = variable("FTI_AUTHOR") { return author }
        let user = variable("USER") ?? variable("LOGNAME") ?? "user-\(getuid())"
        var name = utsname()
        guard uname(&name) == 0 else { return user }
        let host = withUnsafeBytes(of: name.nodename) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        return host.isEmpty ? user : "\(user)@\(host)"
    }
}
