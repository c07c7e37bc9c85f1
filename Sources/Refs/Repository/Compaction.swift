internal import Objects

/// Which packs are to become one, so that looking for an object asks few packs however many transactions there
/// were.
///
/// Every `put` adds a pack. Packs of about one size are merged once there are ``factor`` of them, which makes a
/// pack of the next size: the number of small packs is logarithmic in the number of transactions, and no byte is
/// copied more often than there are sizes. Packs from ``sizes``' last on are left alone: copying them
/// would cost more than looking into them does.
enum Compaction {
    /// How many packs of one size are merged: fewer copy bytes more often, more are more to look into.
    static let factor = 16
    /// Sizes end before these many bytes. What is in a small pack is copied four times at most.
    static let sizes = [8 << 10, 128 << 10, 2 << 20, 32 << 20]
    /// The most packs that one transaction merges: what it does is to be done in a moment.
    static let packLimit = 1024
    /// The most bytes that one transaction copies.
    static let byteLimit = 128 << 20
    /// Only the writer of every so-many-th entry looks whether there is something to merge: of many writers one
    /// does it, and when that one dies, another does soon.
    static let interval = 8
    /// Races that are lost before it is left to the next writer.
    static let attempts = 4

    /// Packs to merge, in the order of `packs`; nil when there are few enough.
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
            // Of many large packs few fit, and the next writer merges others.
            return chosen.count > 1 ? chosen : nil
        }
        return nil
    }
}

extension Repository {
    /// Merges small packs, if there are many, in a transaction of its own after somebody else's.
    ///
    /// Nothing depends on it: whatever goes wrong, and any race that is lost to a writer who removed one of the
    /// packs, leaves the packs as they are, for the next writer to look at. Nothing is done to the files of the
    /// packs that are replaced; readers of older states have them.
    func compact(_ state: inout State, writer: Writer) {
        guard state.number % Compaction.interval == 0 else { return }
        var after = state
        guard let compacted = try? compacted(&after, writer: writer) else { return }
        // A state with moves of others, which the caller has not seen, would hide a conflict from it.
        if compacted.number == state.number + 1 { state = compacted }
    }

    private func compacted(_ state: inout State, writer: Writer) throws -> State? {
        let packs = try state.packs
        guard let chosen = Compaction.plan(packs) else { return nil }
        let merged = try MergedPack.merge(chosen, of: objects(packs))
        guard merged.sources.count >= min(Compaction.factor, chosen.count) else { return nil }
        let names = Set(merged.sources.map(\.name))
        // Before a pack that nobody would ever see is published: somebody else may have done the same.
        let removed = try log.refresh(&state)
        guard removed.isDisjoint(with: names) else { return nil }
        let reference = try merged.publish()
        var proposal = Proposal(
            base: state, updates: [], addedPacks: [reference],
            removedPacks: merged.sources.map(\.name),
            message: "merge \(merged.sources.count) small packs")
        let result = try log.append(&proposal, writer: writer, attempts: Compaction.attempts) {
            (_, _, removed, _) throws(RefError) in
            // What others removed is nothing to live packs, and the merged one holds no more than they do.
            if let name = removed.first(where: { $0 == reference.name || names.contains($0) }) {
                throw .packRemoved(name)
            }
        }
        return result?.state
    }
}
