internal import Glibc

/// How many files a process may have open at once.
public enum OpenFiles {
    /// Allows as many as the system lets this process have: each pack in use is one.
    public static func allowMost() {
        var limit = rlimit()
        let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(files, &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(files, &limit)
    }
}
