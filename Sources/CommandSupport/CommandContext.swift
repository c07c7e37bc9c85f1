internal import Glibc
public import Objects
public import Refs
public import Storage
internal import Synchronization

/// What a command gets from its process: options, output, progress, and the repository.
public struct CommandContext {
    /// The global options that the command line gives.
    public let options: GlobalOptions
    /// Receives results, notes and warnings.
    public let output: Output
    /// Shows the progress of a long operation.
    public let progress: Progress

    /// Creates the context of this process.
    ///
    /// - Parameter isPaged: Whether results go through a pager on a terminal.
    public init(options: GlobalOptions, isPaged: Bool = false) {
        self.options = options
        let errors = Terminal(descriptor: STDERR_FILENO)
        output = Output(
            options: options,
            terminal: Terminal(descriptor: STDOUT_FILENO), errors: errors)
        if isPaged { output.usePager(options) }
        progress = Progress(
            // A pager owns the terminal.
            isShown: errors.isTerminal && !options.noProgress && !options.quiet && !options.json
                && !output.isPaged,
            width: errors.width)
    }

    /// The time of the system's clock, read at each call.
    public var now: Timestamp { Writer.systemClock() }

    /// This user's cache: `$XDG_CACHE_HOME/fti`, else `~/.cache/fti`; nil without a home directory.
    public var cacheFolder: String? { UserFolder.cache.path }

    /// What this user keeps between runs: `$XDG_STATE_HOME/fti`, else `~/.local/state/fti`; nil without a home
    /// directory.
    public var stateFolder: String? { UserFolder.state.path }

    /// The path of the repository that the command line or the environment names; otherwise the configured one;
    /// otherwise the nearest. If the user named one, it need not exist.
    ///
    /// - Throws: `usage` if the user named an empty path or a URL; `missing` if the user named none and none is found;
    ///   `io` if the working directory no longer exists.
    public func repositoryLocation(configured: String? = nil) throws(CommandError) -> String {
        if options.repo == nil, Environment.variable("FTI_REPO") == nil, let configured {
            return configured
        }
        return try RepositoryLocation.find(option: options.repo)
    }
}

extension CommandContext {
    /// Opens the repository that the command line, the environment or the working directory names.
    public func repository() throws -> Repository {
        try repository(at: try repositoryLocation())
    }

    /// Opens the repository at a path, or in the `.fti` below it, checked against what this user has seen and trusts.
    public func repository(at path: String) throws -> Repository {
        let path = RepositoryLocation.existing(path)
        return try Repository(opening: path, trust: try trust(in: path), trusting: trustedPlaces)
    }

    /// The directories of other users that this user trusts, listed in the file `places` beside the keys. No repository
    /// can change that file.
    private var trustedPlaces: TrustedPlaces {
        UserFolder.configuration.path
            .map { TrustedPlaces(reading: "\($0)/places") } ?? .none
    }

    /// The writer of transactions, which signs them if the access policy requires it or `$FTI_KEY` names a key.
    public var writer: Writer {
        let chosen = Environment.variable("FTI_KEY")
        let path = UserFolder.configuration.path
        return Writer(
            name: Environment.author,
            key: { (isNeeded) throws(KeyError) in
                if let chosen {
                    guard !chosen.utf8.contains(UInt8(ascii: "/")) else {
                        return try Keyring.secretKey(at: chosen)
                    }
                    guard let path else { throw .unknown(name: chosen) }
                    return try Keyring(path).secretKey(named: chosen)
                }
                guard isNeeded else { return nil }
                guard let path else { throw .none }
                let keyring = Keyring(path)
                guard let name = try keyring.defaultName() else { throw .none }
                return try keyring.secretKey(named: name)
            })
    }

    /// The user's keys.
    ///
    /// - Throws: `missing` if neither `$XDG_CONFIG_HOME` nor `$HOME` is an absolute path.
    public func keyring() throws(CommandError) -> Keyring {
        guard let path = UserFolder.configuration.path else {
            throw .missing(
                "no directory for keys: neither HOME nor XDG_CONFIG_HOME is set",
                remedy: "export HOME=/home/ada")
        }
        return Keyring(path)
    }

    /// Forgets the log last seen at a path, because a new repository was created there.
    public func forget(_ path: String) { memory(of: path)?.clear() }

    private func trust(in path: String) throws -> Trust {
        let memory = memory(of: path)
        if let text = Environment.variable("FTI_TRUST") {
            var roots: Set<PublicKey> = []
            for word in text.utf8.split(whereSeparator: { $0 == 0x20 || $0 == 0x2C }) {
                guard let key = PublicKey(hex: String(decoding: word, as: UTF8.self)) else {
                    throw CommandError.usage(
                        "FTI_TRUST must list public keys, each of 64 lower-case hexadecimal digits",
                        remedy: "ftictl key list prints your keys, ftictl policy show the keys "
                            + "of a repository")
                }
                roots.insert(key)
            }
            return Trust(memory: memory, roots: roots, isStrict: true)
        }
        guard let folder = UserFolder.configuration.path else {
            return Trust(memory: memory)
        }
        let keyring = Keyring(folder)
        let trusted = try keyring.trusted().map(\.key)
        guard !trusted.isEmpty else { return Trust(memory: memory) }
        let own = try keyring.names().compactMap { name in
            try? keyring.secretKey(named: name).publicKey
        }
        return Trust(memory: memory, roots: Set(trusted + own))
    }

    /// What this client has seen of the repository at a path; nil without a home directory.
    private func memory(of path: String) -> ClientMemory? {
        guard let folder = UserFolder.state.path else { return nil }
        return ClientMemory(
            at: "\(folder)/\(Environment.nameOfPlace(path)).seen", now: Writer.systemClock,
            isForgetful: options.acceptRollback,
            report: Self.warnOnce(isJSON: options.json))
    }

    /// Warns on standard error that the memory is lost, but only once: later reports have the same cause.
    private static func warnOnce(isJSON: Bool) -> @Sendable (String) -> Void {
        let hasWarned = Atomic(false)
        return { text in
            guard !hasWarned.exchange(true, ordering: .relaxed) else { return }
            let stream = StandardStream.error()
            // A failure of standard error has nowhere to be reported.
            try? stream.write(warning: text, isJSON: isJSON)
            try? stream.flush()
        }
    }
}

/// The cache file of verified table leaves, which spares reading a table in full each time it is opened.
public struct VerifiedLeavesFile: Sendable {
    /// The leaves verified so far; callers add those that they verify.
    public let leaves: VerifiedLeaves
    private let file: CacheFile?

    fileprivate init(_ path: String?, now: Timestamp) throws(ObjectError) {
        file = path.map { CacheFile($0) }
        leaves = try VerifiedLeaves(
            file?.read(limit: VerifiedLeaves.byteLimit, isSecret: true), moment: now)
    }

    /// Saves the newly verified leaves. Ignores a failed write: it only costs time later.
    public func save() {
        if let bytes = leaves.encoded() { try? file?.replace(bytes) }
    }
}

extension CommandContext {
    /// The stat cache of a repository: `$XDG_CACHE_HOME/fti/<repository>.stat`, else below `~/.cache`; nil without a
    /// home directory.
    public func statCache(of repository: RandomBits) -> CacheFile? {
        cacheFolder.map { CacheFile("\($0)/\(repository.hex).stat") }
    }

    /// The verified leaves of the repository at a path: `$XDG_CACHE_HOME/fti/<place>.leaves`, else below `~/.cache`.
    public func verifiedLeaves(of path: String) throws -> VerifiedLeavesFile {
        try VerifiedLeavesFile(cachePath(of: path, ending: "leaves"), now: now)
    }

    /// The path of a cache derived from the repository at a path: `$XDG_CACHE_HOME/fti/<place>.<ending>`, else below
    /// `~/.cache`; nil without a home directory.
    public func cachePath(of path: String, ending: String) -> String? {
        cacheFolder.map { "\($0)/\(Environment.nameOfPlace(path)).\(ending)" }
    }
}
