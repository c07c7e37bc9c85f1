internal import Objects

/// The moves that take a transaction back.
public struct Reversal: Sendable {
    /// The transaction that they take back.
    public let transaction: Int
    /// Each ref that it moved goes back to what it was.
    public let updates: [RefUpdate]
}

extension Log {
    /// Computes what takes back a transaction; commits nothing.
    ///
    /// - Parameters:
    ///   - number: The transaction; nil for the newest one that moved a ref.
    ///   - state: The state that the moves are for.
    /// - Throws: `nothingToUndo` when no ref was moved; `movedSince` when a later transaction moved one of
    ///   the same refs elsewhere; `noTransaction`.
    public func reversal(of number: Int? = nil, in state: State) throws(RefError) -> Reversal {
        let moves = [state.refs.values.map(\.transaction), Array(state.removedRefs.values)]
        let newest = number ?? moves.joined().max()
        guard let newest, newest <= state.number else {
            if let number { throw .noTransaction(number) }
            throw .nothingToUndo(nil)
        }
        let changes = try entry(newest).changes
        guard !changes.isEmpty else { throw .nothingToUndo(newest) }
        var updates: [RefUpdate] = []
        for change in changes {
            // A ref that came back to where the transaction moved it can be taken back as if nothing had happened.
            guard state.target(of: change.name) == change.new else {
                throw .movedSince(
                    change, transaction: newest, actual: state.target(of: change.name),
                    by: state.lastTransaction(of: change.name) ?? newest)
            }
            updates.append(
                RefUpdate(change.name, expected: .same(as: change.new), new: change.old))
        }
        return Reversal(transaction: newest, updates: updates)
    }
}
