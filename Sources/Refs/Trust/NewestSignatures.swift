internal import Objects

/// The signatures to check of entries that follow one another: the newest by each key.
///
/// A signature covers the entry before it by its hash, and so all entries before. Whoever signs one has thereby signed
/// that the older entries in their name are theirs as well, and a writer checks those before it signs the next: an
/// entry that somebody forged in the name of a key is the newest by it until that key's owner refuses to build on it.
/// So a few checks stand for thousands. What cannot be seen so is a signature that was damaged later below an
/// entry that is sound; ``LogVerifier`` checks each one, and so does whoever reads an old entry (``Vouching``).
struct NewestSignatures {
    private var entries: [PublicKey: LogEntry] = [:]

    /// Takes the next entry, which follows all that were taken before and fits the state before it.
    mutating func add(_ entry: LogEntry) {
        guard let key = entry.signature?.key else { return }
        entries[key] = entry
    }

    /// Refuses the entries when a signature that stands for others is not valid, naming the first.
    func check(for repository: RandomBits) throws(RefError) {
        let newest = entries.values.sorted { $0.number < $1.number }
        let results = Threads.map(newest.count) { index in
            Result { () throws(RefError) in try newest[index].checkSignature(for: repository) }
        }
        for result in results { try result.get() }
    }
}
