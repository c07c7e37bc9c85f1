public import Objects

/// A requested move of one ref.
public struct RefUpdate: Hashable, Sendable {
    /// The ref.
    public var name: RefName
    /// The condition on its present target.
    public var expected: Expectation
    /// The new target; nil deletes the ref.
    public var new: ObjectID?

    /// Makes an update.
    public init(_ name: RefName, expected: Expectation = .anything, new: ObjectID?) {
        self.name = name
        self.expected = expected
        self.new = new
    }
}

/// The move of a ref by a transaction.
public struct RefChange: Hashable, Sendable {
    /// The ref.
    public let name: RefName
    /// The old target; nil when the ref did not exist.
    public let old: ObjectID?
    /// The new target; nil when the ref was deleted.
    public let new: ObjectID?

    /// Makes a change.
    public init(name: RefName, old: ObjectID?, new: ObjectID?) {
        self.name = name
        self.old = old
        self.new = new
    }
}

/// A condition on the present target of a ref.
public enum Expectation: Hashable, Sendable {
    /// The ref may have any target, but must not have moved since the state that the transaction is based on.
    case anything
    /// The ref must not exist.
    case absent
    /// The ref must exist.
    case present
    /// The ref must point at this snapshot.
    case exactly(ObjectID)

    /// Whether a target, nil for a ref that does not exist, meets the condition.
    public func allows(_ target: ObjectID?) -> Bool {
        switch self {
        case .anything: true
        case .absent: target == nil
        case .present: target != nil
        case .exactly(let id): target == id
        }
    }

    /// The condition that a ref still has this target.
    static func same(as target: ObjectID?) -> Expectation { target.map { .exactly($0) } ?? .absent }

    /// A noun for messages.
    var noun: String {
        switch self {
        case .anything: "anything"
        case .absent: "no such ref"
        case .present: "the ref to exist"
        case .exactly(let id): id.short
        }
    }
}

/// The contents of an entry before it has a place in the log.
package struct Proposal {
    /// The state that it is based on.
    var base: State
    var updates: [RefUpdate]
    package var addedPacks: [PackReference] = []
    package var removedPacks: [ObjectID] = []
    /// The retention of a collection, which judges its removals.
    var retention: RetentionRules?
    var message: String
    /// The action that overrides gates.
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

    /// The resulting moves in `state`, which is at or after ``base``.
    ///
    /// - Throws: `conflict` when a ref does not meet its expectation, or moved since the base.
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
