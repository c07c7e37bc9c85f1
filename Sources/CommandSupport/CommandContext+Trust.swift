internal import Objects
public import Refs
internal import Storage
internal import Synchronization

extension CommandContext {
    /// The repository that the command line, the environment or the working directory names.
    public func repository() throws -> Repository {
        try repository(at: try repositoryLocation())
    }

    /// The repository in a directory, or in the `.fti` of a directory, with what this user remembers of it and trusts.
    public func repository(at path: String) throws -> Repository {
        let path = RepositoryLocation.existing(path)
        return try Repository(opening: path, trust: try trust(in: path), trusting: trustedPlaces)
    }

    /// The places of other users that the user trusts: the file `places` beside the keys. No repository can add to
    /// it.
    private var trustedPlaces: TrustedPlaces {
        UserFolder.configuration.path(environment)
            .map { TrustedPlaces(reading: "\($0)/places") } ?? .none
    }

    /// Who writes, and signs where that is needed or `$FTI_KEY` names a key.
    public var writer: Writer {
        let chosen = environment.variable("FTI_KEY")
        let path = UserFolder.configuration.path(environment)
        return Writer(
            name: environment.author, now: environment.now,
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
    /// - Throws: `missing` if the user has no home directory.
    public func keyring() throws(CommandError) -> Keyring {
        guard let path = UserFolder.configuration.path(environment) else {
            throw .missing(
                "there is no place for keys: neither HOME nor XDG_CONFIG_HOME is set",
                remedy: "export HOME=/home/ada")
        }
        return Keyring(path)
    }

    /// Forgets what was seen in a place, because a new repository was made there.
    public func forget(_ path: String) { memory(of: path)?.clear() }

    private func trust(in path: String) throws -> Trust {
        let memory = memory(of: path)
        if let text = environment.variable("FTI_TRUST") {
            var roots: Set<PublicKey> = []
            for word in text.utf8.split(whereSeparator: { $0 == 0x20 || $0 == 0x2C }) {
                guard let key = PublicKey(hex: String(decoding: word, as: UTF8.self)) else {
                    throw CommandError.usage(
                        "FTI_TRUST is not a public key: 64 lower-case hexadecimal digits",
                        remedy: "ftictl key list shows yours; ftictl policy show those of a "
                            + "repository")
                }
                roots.insert(key)
            }
            return Trust(memory: memory, roots: roots, isStrict: true)
        }
        guard let folder = UserFolder.configuration.path(environment) else {
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

    /// What was seen of the repository in a place; nil if the user has no home directory.
    private func memory(of path: String) -> ClientMemory? {
        guard let folder = UserFolder.state.path(environment) else { return nil }
        return ClientMemory(
            at: "\(folder)/\(environment.nameOfPlace(path)).seen", now: environment.now,
            isForgetful: options.acceptRollback,
            report: Self.warnOnce(isJSON: options.json))
    }

    /// Warns on standard error of the first of several losses, which are one.
    private static func warnOnce(isJSON: Bool) -> @Sendable (String) -> Void {
        let hasWarned = Atomic(false)
        return { text in
            guard !hasWarned.exchange(true, ordering: .relaxed) else { return }
            let stream = StandardStream.error()
            // A failure of standard error cannot be reported anywhere.
            try? stream.write(warning: text, isJSON: isJSON)
            try? stream.flush()
        }
    }
}
