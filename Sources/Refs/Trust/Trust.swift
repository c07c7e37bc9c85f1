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
