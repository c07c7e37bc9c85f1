internal import Objects

/// What a reader believes before it has read anything of a repository.
public struct Trust: Sendable {
    /// What this client saw of the repository before.
    public var memory: ClientMemory?
    /// The keys of which one must have signed the first policy; nil for whoever did.
    public var roots: Set<PublicKey>?
    /// Whether ``roots`` hold always: otherwise only at the first contact with a repository, and only for one that
    /// asks for signatures.
    public var isStrict: Bool

    /// Trusts whatever is there first, or only what one of some keys began.
    public init(
        memory: ClientMemory? = nil, roots: Set<PublicKey>? = nil, isStrict: Bool = false
    ) {
        self.memory = memory
        self.roots = roots
        self.isStrict = isStrict
    }

    /// Whether a checkpoint of the repository may stand for the entries before it.
    ///
    /// It may when they ask for no signatures, and nobody here does; else an admin must vouch for it: one of the policy
    /// in it, as the first contact has nothing better, or one of the roots.
    func accepts(_ checkpoint: State) -> Bool {
        if let roots, isStrict || checkpoint.policyRoot != nil {
            guard let certifier = checkpoint.certifier else { return false }
            return roots.contains(certifier)
        }
        guard checkpoint.policyRoot != nil else { return true }
        guard let certifier = checkpoint.certifier else { return false }
        return checkpoint.policy?.key(certifier)?.isAdmin ?? false
    }

    /// Refuses a state that was begun by somebody else than it must be.
    ///
    /// - Throws: `foreignRoot`.
    func check(_ state: State, isFirstContact: Bool) throws(RefError) {
        guard let roots, isStrict || isFirstContact else { return }
        guard let root = state.policyRoot, !isStrict || state.policy?.isSigned ?? false else {
            guard isStrict else { return }
            throw .foreignRoot(
                reason:
                    "it asks for no signatures, and FTI_TRUST demands a policy that was begun by "
                    + Self.text(roots))
        }
        guard roots.contains(root) else {
            throw .foreignRoot(
                reason: "its first policy is by key \(root.hex), and you trust \(Self.text(roots))")
        }
    }

    private static func text(_ keys: Set<PublicKey>) -> String {
        keys.sorted().map(\.short).joined(separator: ", ")
    }
}

/// The signatures to check of entries that follow one another: the newest by each key, and each one whose effect depends
/// on whose it is.
///
/// A signature covers the entry before it by its hash, and so all that older entries do. A writer checks, before it
/// signs, that somebody was allowed to do it: an entry that somebody forged in the name of a key is the newest by it
/// until that key's owner refuses to build on it. So a few checks stand for thousands.
///
/// No hash covers the line that says whose an older entry is. Another name in it changes nothing of what a move has
/// done, but it would change whose an approval is. So approvals, policies and overrides are checked one by one. A
/// signature that was damaged later, below an entry that is sound, is seen by ``LogVerifier``, which checks each one,
/// and by whoever reads an old entry (``Vouching``).
struct NewestSignatures {
    private var newest: [PublicKey: LogEntry] = [:]
    private var telling: [LogEntry] = []

    /// Takes the next entry, which follows all that were taken before and fits the state before it.
    ///
    /// - Parameter isKnown: Whether this client has accepted the entry before, so that only the line that no hash covers
    ///   can be another one.
    mutating func add(_ entry: LogEntry, isKnown: Bool) {
        guard let key = entry.signature?.key else { return }
        if entry.actions.contains(where: \.dependsOnSigner) {
            telling.append(entry)
        } else if !isKnown {
            newest[key] = entry
        }
    }

    /// Refuses the entries when a signature that stands for others is not valid, naming the first.
    func check(for repository: RandomBits) throws(RefError) {
        let entries = (newest.values + telling).sorted { $0.number < $1.number }
        let results = Threads.map(entries.count) { index in
            Result { () throws(RefError) in try entries[index].checkSignature(for: repository) }
        }
        for result in results { try result.get() }
    }
}

extension Action {
    /// Whether what it does depends on whose signature is below it.
    fileprivate var dependsOnSigner: Bool {
        switch self {
        case .approve, .policy, .override, .retain: true
        case .ref, .pack, .unpack, .format: false
        }
    }
}

/// What a state knows about the entries before it without having read them: by whom each must be signed.
///
/// A state that began at a checkpoint vouches by its hashes for the entries after that only. Of older ones it knows
/// since when everything was signed, and by which keys.
struct Vouching: Sendable {
    private let repositoryID: RandomBits
    private let signedSince: Int?
    private let keys: Set<PublicKey>

    init(_ state: State) {
        repositoryID = state.repositoryID
        signedSince = state.signedSince
        keys = state.listedKeys
    }

    /// Refuses an entry from a time when all were signed that nobody signed who was ever listed, and a signature that
    /// is not valid at any time: whose it is would be told wrongly.
    func check(_ entry: LogEntry) throws(RefError) {
        guard let signedSince, entry.number > signedSince else {
            return try entry.checkSignature(for: repositoryID)
        }
        guard let signature = entry.signature, keys.contains(signature.key) else {
            throw .untrusted(
                place: LogFile.place(of: entry.number),
                reason: "it is not signed by any key that a policy listed")
        }
        try entry.checkSignature(for: repositoryID)
    }
}
