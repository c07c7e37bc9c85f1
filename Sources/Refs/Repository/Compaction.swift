internal import Objects

/// The choice of packs to merge, so that finding an object searches few packs however many transactions there were.
///
/// Every `put` adds a pack. Once there are ``factor`` packs of about the same size, they are merged into a pack of the
/// next size: the number of small packs is logarithmic in the number of transactions, and no byte is copied more often
/// than there are sizes. Packs above the last of ``sizes`` are left alone: copying them would cost more than
/// searching them.
enum Compaction {
    /// How many packs of one size are merged: fewer would copy bytes more often, more would leave more packs to search.
    static let factor = 16
    /// The upper limits of the sizes in bytes. A byte of a small pack is copied four times at most.
    static let sizes = [8 << 10, 128 << 10, 2 << 20, 32 << 20]
    /// The maximum number of packs that one transaction merges, so that it takes only a moment.
    static let packLimit = 1024
    /// The maximum number of bytes that one transaction copies.
    static let byteLimit = 128 << 20
    /// Only the writer of an entry whose number is a multiple of this looks for packs to merge. If that writer crashes,
    /// another one soon does it.
    static let interval = 8
    /// How many races a writer loses before it leaves the work to the next one.
    static let attempts = 4

    /// The packs to merge, in the order of `packs`; nil when there are few enough.
    static func plan(_ packs: [PackReference]) -> [PackReference]? {
        var lowest = 0
        for limit in sizes {
            let candidates = packs.filter { $0.size >= lowest && $0.size < limit }
            lowest = limit
            guard candidates.count >= factor else { continue }
            var chosen: [PackReference] = []
            var bytes = 0
            for pack in candidates.prefix(packLimit) {
                bytes += pack.size
                guard bytes <= byteLimit else { break }
                chosen.append(pack)
            }
            // Of many large packs only a few fit; the next writers merge the others.
            return chosen.count > 1 ? chosen : nil
        }
        return nil
    }
}

extension Repository {
    /// Merges small packs, if there are many, in a separate transaction that follows the caller's.
    ///
    /// Nothing depends on merging: any failure, and a race lost to a writer that removed one of the packs, leaves the
    /// packs for the next writer. The files of merged packs stay for readers of older states.
    func compact(_ state: inout State, writer: Writer) {
        guard state.number % Compaction.interval == 0 else { return }
        var after = state
        guard let compacted = try? compacted(&after, writer: writer) else { return }
        // A state with concurrent moves, which the caller has not seen, would hide a conflict.
        if compacted.number == state.number + 1 { state = compacted }
    }

    private func compacted(_ state: inout State, writer: Writer) throws -> State? {
        let packs = try state.packs
        guard let chosen = Compaction.plan(packs) else { return nil }
        let merged = try MergedPack.merge(chosen, of: objects(packs))
        guard merged.sources.count >= min(Compaction.factor, chosen.count) else { return nil }
        let names = Set(merged.sources.map(\.name))
        // Checked before publishing a pack that nobody would use: another writer may have merged the same packs.
        let removed = try log.refresh(&state)
        guard removed.isDisjoint(with: names) else { return nil }
        let reference = try merged.publish()
        var proposal = Proposal(
            base: state, updates: [], addedPacks: [reference],
            removedPacks: merged.sources.map(\.name),
            message: "merge \(merged.sources.count) small packs")
        let result = try log.append(&proposal, writer: writer, attempts: Compaction.attempts) {
            (_, _, removed, _) throws(RefError) in
            // Concurrent removals cannot affect this merge: the merged pack holds only what its sources held.
            if let name = removed.first(where: { $0 == reference.name || names.contains($0) }) {
                throw .packRemoved(name)
            }
        }
        return result?.state
    }
}
