internal import Objects

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
