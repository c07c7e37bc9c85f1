internal import Objects

/// A client's memory of a repository, and the keys that the client trusts to have founded it.
public struct Trust: Sendable {
    /// This client's memory of the repository.
    public var memory: ClientMemory?
    /// The only keys that may have signed the first access policy that demands signatures; nil for any key.
    public var roots: Set<PublicKey>?
    /// Whether ``roots`` apply always. Otherwise they apply only at the first contact with a repository that demands
    /// signatures.
    public var isStrict: Bool

    /// Trusts any repository at the first contact or, with `roots`, only repositories that one of these keys founded
    /// and, unless `isStrict`, those that demand no signatures.
    public init(
        memory: ClientMemory? = nil, roots: Set<PublicKey>? = nil, isStrict: Bool = false
    ) {
        self.memory = memory
        self.roots = roots
        self.isStrict = isStrict
    }

    /// Whether a checkpoint of the repository may stand for the entries before it.
    ///
    /// It may if the log has never demanded signatures, unless ``roots`` always apply. Otherwise one of the roots must
    /// vouch for it or, without roots, an admin of the access policy in the checkpoint, because a first contact has
    /// nothing better.
    func accepts(_ checkpoint: State) -> Bool {
        if let roots, isStrict || checkpoint.rootKey != nil {
            guard let certifier = checkpoint.certifier else { return false }
            return roots.contains(certifier)
        }
        guard checkpoint.rootKey != nil else { return true }
        guard let certifier = checkpoint.certifier else { return false }
        return checkpoint.accessPolicy?.key(certifier)?.isAdmin ?? false
    }

    /// Refuses a state of a repository that no trusted key founded.
    ///
    /// - Throws: `foreignRoot`.
    func check(_ state: State, isFirstContact: Bool) throws(RefError) {
        guard let roots, isStrict || isFirstContact else { return }
        guard let root = state.rootKey, !isStrict || state.accessPolicy?.isSigned ?? false else {
            guard isStrict else { return }
            throw .foreignRoot(
                reason:
                    "it demands no signatures, and FTI_TRUST demands an access policy founded by "
                    + Self.text(roots))
        }
        guard roots.contains(root) else {
            throw .foreignRoot(
                reason: "key \(root.hex) founded it, and you trust only \(Self.text(roots))")
        }
    }

    private static func text(_ keys: Set<PublicKey>) -> String {
        keys.sorted().map(\.short).joined(separator: ", ")
    }
}

/// Selects which signatures of consecutive entries to check: the newest of each key, and every one whose entry depends
/// on its signer.
///
/// A signature covers the hash of the previous entry, and so everything in older entries. Before a writer signs, it
/// checks that every signer had the right to its entry. An entry that was forged in the name of a key is the newest of
/// that key until the key's owner refuses to build on it. So a few checks stand for thousands.
///
/// No hash covers the line that names the signer of an older entry. Another name there would not change the effect of a
/// move, but it would change who approved something. So approvals, access policies, overrides and retentions are
/// checked one by one. Damage to any other signature is found when its entry is read later (``Vouching``), and by
/// ``LogVerifier``.
struct NewestSignatures {
    private var newest: [PublicKey: LogEntry] = [:]
    private var telling: [LogEntry] = []

    /// Takes the next entry, which follows all earlier ones and fits the state before it.
    ///
    /// - Parameter isKnown: Whether this client has accepted the entry before, so that only its uncovered second line
    ///   can differ.
    mutating func add(_ entry: LogEntry, isKnown: Bool) {
        guard let key = entry.signature?.key else { return }
        if entry.actions.contains(where: \.dependsOnSigner) {
            telling.append(entry)
        } else if !isKnown {
            newest[key] = entry
        }
    }

    /// Refuses the entries when a selected signature is invalid, naming the first one.
    func check(for repository: RandomBits) throws(RefError) {
        let entries = (newest.values + telling).sorted { $0.number < $1.number }
        let results = Threads.map(entries.count) { index in
            Result { () throws(RefError) in try entries[index].checkSignature(for: repository) }
        }
        for result in results { try result.get() }
    }
}

extension Action {
    /// Whether the effect or the meaning of the action depends on the signer.
    fileprivate var dependsOnSigner: Bool {
        switch self {
        case .approve, .accessPolicy, .override, .retain: true
        case .ref, .pack, .unpack, .format: false
        }
    }
}

/// What a state knows about the signers of older entries without having read them.
///
/// A state that began at a checkpoint vouches by hashes only for later entries. About older ones it knows since when
/// all were signed, and by which keys.
struct Vouching: Sendable {
    private let repositoryID: RandomBits
    private let signedSince: Int?
    private let keys: Set<PublicKey>

    init(_ state: State) {
        repositoryID = state.repositoryID
        signedSince = state.signedSince
        keys = state.listedKeys
    }

    /// Refuses an entry without a signature of a listed key if all entries had to be signed by then, and any entry with
    /// an invalid signature, which would name the wrong signer.
    func check(_ entry: LogEntry) throws(RefError) {
        guard let signedSince, entry.number > signedSince else {
            return try entry.checkSignature(for: repositoryID)
        }
        guard let signature = entry.signature, keys.contains(signature.key) else {
            throw .untrusted(
                place: LogFile.place(of: entry.number),
                reason: "no key of any access policy signed it")
        }
        try entry.checkSignature(for: repositoryID)
    }
}
