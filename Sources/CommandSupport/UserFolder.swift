internal import Objects

/// The folders of a user in which programs keep their files, by the XDG base directory specification.
enum UserFolder {
    /// What may be deleted at any time: `$XDG_CACHE_HOME`, else `~/.cache`.
    case cache
    /// What a user has decided: `$XDG_CONFIG_HOME`, else `~/.config`.
    case configuration
    /// What was going on: `$XDG_STATE_HOME`, else `~/.local/state`.
    case state

    private var place: (variable: String, inHome: String) {
        switch self {
        case .cache: ("XDG_CACHE_HOME", ".cache")
        case .configuration: ("XDG_CONFIG_HOME", ".config")
        case .state: ("XDG_STATE_HOME", ".local/state")
        }
    }

    /// The project's own folder below it; nil if the user has no home directory.
    func path(_ environment: Environment) -> String? {
        // A relative path in the variable counts for nothing, says the specification.
        let named = environment.variable(place.variable).flatMap(Self.absolute)
        let home = environment.variable("HOME").flatMap(Self.absolute)
        return (named ?? home.map { "\($0)/\(place.inHome)" }).map { "\($0)/fti" }
    }

    private static func absolute(_ path: String) -> String? {
        path.utf8.first == UInt8(ascii: "/") ? path : nil
    }
}
