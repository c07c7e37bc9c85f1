/// Where the stat cache of a repository is.
public enum StatCacheLocation {
    /// `$XDG_CACHE_HOME/fti/<repository>.stat`, else below `~/.cache`; nil if the user has no home directory.
    ///
    /// - Parameter repository: The identity of the repository.
    public static func path(repository: String, environment: Environment) -> String? {
        UserFolder.cache.path(environment).map { "\($0)/\(repository).stat" }
    }
}
