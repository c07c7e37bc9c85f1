/// Where the stat cache of a repository is.
public enum StatCacheLocation {
    /// `$XDG_CACHE_HOME/fti/<repository>.stat`, else below `~/.cache`; nil when there is no home.
    ///
    /// - Parameter repository: The identity of the repository.
    public static func path(repository: String, environment: Environment) -> String? {
        // A relative path in the variable counts for nothing, says the XDG base directory specification.
        let named = environment.variable("XDG_CACHE_HOME").flatMap(absolute)
        let home = environment.variable("HOME").flatMap(absolute)
        return (named ?? home.map { "\($0)/.cache" }).map { "\($0)/fti/\(repository).stat" }
    }

    private static func absolute(_ path: String) -> String? {
        path.utf8.first == UInt8(ascii: "/") ? path : nil
    }
}
