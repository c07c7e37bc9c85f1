package import Objects

/// What a writer wants to commit, before it has a place in the log.
package struct Proposal {
    /// The state that it was computed on.
    var base: State
    var updates: [RefUpdate]
    package var addedPacks: [PackReference] = []
    package var removedPacks: [ObjectID] = []
    /// What a collection keeps, which its removals are judged by.
    var retention: RetentionRules?
    var message: String
    /// Says which gates it passes over, and why.
    var override: Action?

    package init(
        base: State, updates: [RefUpdate], addedPacks: [PackReference] = [],
        removedPacks: [ObjectID] = [], retention: RetentionRules? = nil, message: String
    ) {
        self.base = base
        self.updates = updates
        self.addedPacks = addedPacks
        self.removedPacks = removedPacks
        self.retention = retention
        self.message = message
    }

    /// The moves that it comes to in `state`, which is at or after ``base``.
    ///
    /// - Throws: `conflict` when a ref is not as expected, or was moved since the base.
    func changes(in state: State, now: Timestamp) throws(RefError) -> [RefChange] {
        var seen: Set<RefName> = []
        var changes: [RefChange] = []
        for update in updates {
            guard seen.insert(update.name).inserted else {
                throw .invalidTransaction(reason: "it moves \(update.name) twice")
            }
            let actual = state.target(of: update.name)
            let isUntouched =
                state.lastTransaction(of: update.name) == base.lastTransaction(of: update.name)
            guard isUntouched, update.expected.allows(actual) else {
                let expected: Expectation =
                    update.expected.allows(base.target(of: update.name)) && !isUntouched
                    ? .same(as: base.target(of: update.name)) : update.expected
                throw .conflict(
                    update.name, expected: expected, actual: actual,
                    transaction: state.lastTransaction(of: update.name),
                    ageMilliseconds: state.refs[update.name].map {
                        now.milliseconds - $0.time.milliseconds
                    })
            }
            if actual != update.new {
                changes.append(RefChange(name: update.name, old: actual, new: update.new))
            }
        }
        return changes
    }

    func actions(for changes: [RefChange], in state: State) -> [Action] {
        var actions = changes.map { change in
            Action.ref(
                change.name, old: change.old, new: change.new,
                since: state.lastTransaction(of: change.name))
        }
        if !changes.isEmpty, let override { actions.append(override) }
        actions.append(contentsOf: addedPacks.map { .pack($0) })
        actions.append(contentsOf: removedPacks.map { .unpack($0) })
        if let retention, !removedPacks.isEmpty { actions.append(.retain(retention)) }
        return actions
    }
}
