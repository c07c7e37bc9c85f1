internal import Artifacts
internal import Objects
internal import Synchronization

/// The rows that passages may come from, and how they are searched: made once for each condition.
struct Scope: Sendable {
    /// The rows; nil for all.
    let rows: RowSet?
    /// The search that may miss some; nil where all of the rows are compared.
    let approximate: ApproximateSearch?
    /// How candidates are found.
    let mode: SearchMode
}

/// The scopes of the conditions that questions came with, the last few of them.
final class ScopeCache: Sendable {
    /// A scope takes up to eight bytes for each row of the table, and services ask the same few conditions.
    private static let limit = 16

    private let scopes = Mutex<[(condition: Condition, scope: Scope)]>([])

    /// The scope of a condition, made where it is not known.
    ///
    /// Two threads that ask for the same new one both make it.
    func scope(
        of condition: Condition, make: () throws(InferenceError) -> Scope
    ) throws(InferenceError) -> Scope {
        let known = scopes.withLock { scopes -> Scope? in
            guard let index = scopes.firstIndex(where: { $0.condition == condition }) else {
                return nil
            }
            let found = scopes.remove(at: index)
            scopes.append(found)
            return found.scope
        }
        if let known { return known }
        let scope = try make()
        scopes.withLock { scopes in
            if scopes.count >= Self.limit { scopes.removeFirst() }
            scopes.append((condition, scope))
        }
        return scope
    }
}
