internal import Objects

/// An error of a pipeline that may wrap an error of the repository.
public protocol RepositoryFailure: Error {
    /// Wraps an error of the repository.
    static func refs(_ error: RefError) -> Self
    /// The wrapped error of the repository; nil for any other error.
    var repositoryCause: RefError? { get }
}

extension Repository {
    /// Runs `body`, and replaces an error caused by a lost race with the conflict; see
    /// ``conflict(behind:relyingOn:in:)``.
    ///
    /// - Parameters:
    ///   - names: The refs that `body` relies on.
    ///   - state: The state in which it reads them.
    public func reportingConflicts<Failure: RepositoryFailure, Value>(
        on names: [RefName], in state: State, _ body: () throws(Failure) -> Value
    ) throws(Failure) -> Value {
        do throws(Failure) { return try body() } catch {
            guard let cause = error.repositoryCause,
                let conflict = conflict(behind: cause, relyingOn: names, in: state)
            else { throw error }
            throw Failure.refs(conflict)
        }
    }

    /// The conflict behind a failed read: a ref that the writer relied on moved meanwhile, and a collection removed its
    /// old target.
    ///
    /// - Parameters:
    ///   - names: The refs that the writer relied on.
    ///   - state: The state in which it read them.
    /// - Returns: `conflict`, which a repetition of the whole operation resolves; nil when none of the refs moved, so
    ///   that the error itself is the explanation.
    public func conflict(
        behind error: RefError, relyingOn names: some Sequence<RefName>, in state: State
    ) -> RefError? {
        guard error.isAbsence, let newest = try? log.refreshed(state) else { return nil }
        for name in names where newest.lastTransaction(of: name) != state.lastTransaction(of: name)
        {
            return newest.conflict(over: name, expected: .same(as: state.target(of: name)))
        }
        return nil
    }
}
