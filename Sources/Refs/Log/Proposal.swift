public import Objects

/// A wish to move one ref.
public struct RefUpdate: Hashable, Sendable {
    /// The ref.
    public var name: RefName
    /// What it must be before.
    public var expected: Expectation
    /// The snapshot that it is to point at; nil removes the ref.
    public var new: ObjectID?

    /// Makes an update.
    public init(_ name: RefName, expected: Expectation = .anything, new: ObjectID?) {
        self.name = name
        self.expected = expected
        self.new = new
    }
}

/// A ref that a transaction moved.
public struct RefChange: Hashable, Sendable {
    /// The ref.
    public let name: RefName
    /// What it pointed at; nil when it did not exist.
    public let old: ObjectID?
    /// What it points at now; nil when it was removed.
    public let new: ObjectID?

    /// Makes a change.
    public init(name: RefName, old: ObjectID?, new: ObjectID?) {
        self.name = name
        self.old = old
        self.new = new
    }
}

/// What a ref must be for an update of it to go ahead.
public enum Expectation: Hashable, Sendable {
    /// Whatever it is in the state that the transaction began from.
    case anything
    /// It must not exist.
    case absent
    /// It must exist.
    case present
    /// It must point at this snapshot.
    case exactly(ObjectID)

    /// Whether a ref with this target (nil when it does not exist) is as expected.
    public func allows(_ target: ObjectID?) -> Bool {
        switch self {
        case .anything: true
        case .absent: target == nil
        case .present: target != nil
        case .exactly(let id): target == id
        }
    }

    /// The expectation that a ref is as it was.
    static func same(as target: ObjectID?) -> Expectation { target.map { .exactly($0) } ?? .absent }

    /// For messages: what is expected, as a noun.
    var noun: String {
        switch self {
        case .anything: "anything"
        case .absent: "no such ref"
        case .present: "the ref to exist"
        case .exactly(let id): id.short
        }
    }
}

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
