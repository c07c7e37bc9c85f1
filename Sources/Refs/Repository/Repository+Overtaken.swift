internal import Objects

extension Repository {
    /// The conflict behind an error of a writer that could not read something: a ref that it relied on was moved
    /// meanwhile, and a collection removed what the ref pointed at before.
    ///
    /// - Parameters:
    ///   - names: The refs that the writer relied on.
    ///   - state: Where it read them.
    /// - Returns: `conflict`, which repeating everything cures; nil when none of the refs was moved, so that the error
    ///   says what is wrong.
    public func conflict(
        behind error: RefError, relyingOn names: some Sequence<RefName>, in state: State
    ) -> RefError? {
        guard error.isAbsence, let newest = try? log.refreshed(state) else { return nil }
        for name in names where newest.lastTransaction(of: name) != state.lastTransaction(of: name)
        {
            return .conflict(
                name, expected: .same(as: state.target(of: name)), actual: newest.target(of: name),
                transaction: newest.lastTransaction(of: name), ageMilliseconds: nil)
        }
        return nil
    }
}
