internal import Objects

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
