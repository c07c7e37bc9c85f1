public import Objects

/// A requested move of one ref.
public struct RefUpdate: Hashable, Sendable {
    /// The ref to move.
    public var name: RefName
    /// The condition on its present target.
    public var expected: Expectation
    /// The new target; nil deletes the ref.
    public var new: ObjectID?

    /// Makes an update, by default without a condition on the present target.
    public init(_ name: RefName, expected: Expectation = .anything, new: ObjectID?) {
        self.name = name
        self.expected = expected
        self.new = new
    }
}

/// The move of a ref by a transaction.
public struct RefChange: Hashable, Sendable {
    /// The ref that moved.
    public let name: RefName
    /// The old target; nil when the ref did not exist.
    public let old: ObjectID?
    /// The new target; nil when the ref was deleted.
    public let new: ObjectID?

    /// Makes a change; nil stands for a ref that does not exist.
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
    /// The retention by which a collection chose the removed packs; nil in other proposals.
    var retention: RetentionRules?
    var message: String
    /// The action that overrides gates; nil when none needs it.
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

    /// The resulting moves in `state`, which is at or after ``base``; a ref that is already at its new target has none.
    ///
    /// - Throws: `conflict` when a ref does not meet its expectation, or moved since the base; `invalidTransaction`
    ///   when two updates name one ref.
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

/// One action of a transaction.
///
/// A reader that meets an action of unknown type refuses the whole log instead of skipping the action.
public enum Action: Hashable, Sendable {
    /// Starts the log; only entry 0 has it.
    case format(version: Int, repository: RandomBits)
    /// Moves a ref from `old` to `new`; nil stands for a ref that does not exist. `since` is the transaction that set
    /// `old` or deleted the ref, so that the history of a ref is a linked list.
    case ref(RefName, old: ObjectID?, new: ObjectID?, since: Int?)
    /// Adds a pack under a name never used before.
    case pack(PackReference)
    /// Removes a pack permanently, or bars a pack that was never added from ever being added.
    case unpack(ObjectID)
    /// Records the retention of a collection, in the entry that removes its packs.
    case retain(RetentionRules)
    /// Sets the access policy from the next entry on; nil removes it.
    case accessPolicy(AccessPolicy?)
    /// Approves, in the name of the entry's signer, the move of a ref from `old` to `new`, until `expires` and only
    /// while the access policy with this identity is in force.
    case approve(
        RefName, old: ObjectID?, new: ObjectID?, accessPolicy: ObjectID, expires: Timestamp)
    /// Overrides the refusals of gates with these ``GateOutcome/summary`` texts, for the given reason.
    case override(gates: [String], reason: String)

    var json: JSON {
        switch self {
        case .format(let version, let repository):
            [
                "type": "format", "version": .integer(version),
                "repository": .string(repository.hex),
            ]
        case .ref(let name, let old, let new, let since):
            [
                "type": "ref", "name": .string(name.text), "old": Self.json(old),
                "new": Self.json(new), "since": since.map { .integer($0) } ?? .null,
            ]
        case .pack(let pack):
            [
                "type": "pack", "name": .string(pack.name.hex), "size": .integer(pack.size),
                "index": .integer(pack.indexOffset),
            ]
        case .unpack(let name): ["type": "unpack", "name": .string(name.hex)]
        case .retain(let rules): ["type": "retain", "retention": rules.json]
        case .accessPolicy(let accessPolicy):
            ["type": "policy", "policy": accessPolicy?.json ?? .null]
        case .approve(let name, let old, let new, let accessPolicy, let expires):
            [
                "type": "approve", "ref": .string(name.text), "old": Self.json(old),
                "new": Self.json(new), "policy": .string(accessPolicy.hex),
                "expires": .string(expires.description),
            ]
        case .override(let gates, let reason):
            [
                "type": "override", "gates": .array(gates.map { .string($0) }),
                "reason": .string(reason),
            ]
        }
    }

    /// Decodes an action; nil when its type is unknown.
    init?(_ reader: inout JSONObjectReader) throws(JSONSchemaError) {
        switch try reader.string("type") {
        case "format":
            self = .format(
                version: try reader.count("version"),
                repository: try reader.randomBits("repository"))
        case "ref":
            self = .ref(
                try reader.refName("name"), old: try reader.objectIDOrNull("old"),
                new: try reader.objectIDOrNull("new"),
                since: try reader.countOrNull("since"))
        case "pack":
            self = .pack(
                PackReference(
                    name: try reader.objectID("name"), size: try reader.count("size"),
                    indexOffset: try reader.count("index")))
        case "unpack": self = .unpack(try reader.objectID("name"))
        case "retain":
            let value = reader.take("retention") ?? .null
            let rules = try RetentionRules(value, as: "retention")
            guard rules.json.canonicalBytes == value.canonicalBytes else {
                throw reader.error("retention", "is not a canonically encoded retention")
            }
            self = .retain(rules)
        case "policy": self = .accessPolicy(try AccessPolicy.take("policy", from: &reader))
        case "approve":
            self = .approve(
                try reader.refName("ref"), old: try reader.objectIDOrNull("old"),
                new: try reader.objectIDOrNull("new"), accessPolicy: try reader.objectID("policy"),
                expires: try reader.timestamp("expires"))
        case "override":
            var gates: [String] = []
            for gate in try reader.array("gates") {
                guard let text = gate.string else {
                    throw reader.error("gates", "must be a list of strings")
                }
                gates.append(text)
            }
            self = .override(gates: gates, reason: try reader.string("reason"))
        default: return nil
        }
    }

    private static func json(_ id: ObjectID?) -> JSON { id.map { .string($0.hex) } ?? .null }
}

extension JSONObjectReader {
    mutating func refName(_ key: String) throws(JSONSchemaError) -> RefName {
        let text = try string(key)
        do throws(RefError) { return try RefName(text) } catch {
            throw self.error(key, error.message)
        }
    }

    mutating func refPattern(_ key: String) throws(JSONSchemaError) -> RefPattern {
        let text = try string(key)
        do throws(RefError) { return try RefPattern(text) } catch {
            throw self.error(key, "must be a ref, or like models/*: \(error.message)")
        }
    }

    mutating func randomBits(_ key: String) throws(JSONSchemaError) -> RandomBits {
        guard let bits = RandomBits(hex: try string(key)) else {
            throw error(key, "must be 32 lower-case hexadecimal digits")
        }
        return bits
    }

    mutating func publicKey(_ key: String) throws(JSONSchemaError) -> PublicKey {
        guard let publicKey = PublicKey(hex: try string(key)) else {
            throw error(key, "must be an Ed25519 key: 64 lower-case hexadecimal digits")
        }
        return publicKey
    }

    /// Takes a list of objects; an object must have no members that `decode` leaves.
    mutating func objects<Value>(
        _ key: String, _ decode: (inout JSONObjectReader) throws(JSONSchemaError) -> Value
    ) throws(JSONSchemaError) -> [Value] {
        var values: [Value] = []
        for (index, value) in try array(key).enumerated() {
            let path = error("\(key)[\(index)]", "").path
            var reader = JSONObjectReader(value.object ?? JSONObject(), path: path)
            values.append(try decode(&reader))
            try reader.finish()
        }
        return values
    }

    /// Takes an id or `null`; the member must exist.
    mutating func objectIDOrNull(_ key: String) throws(JSONSchemaError) -> ObjectID? {
        switch take(key) {
        case .null?: return nil
        case .string(let text)?:
            guard let id = ObjectID(hex: text) else { fallthrough }
            return id
        default: throw error(key, "must be 64 lower-case hexadecimal digits, or null")
        }
    }

    /// Takes a whole number that is not negative, or `null`; the member must exist.
    mutating func countOrNull(_ key: String) throws(JSONSchemaError) -> Int? {
        let value = take(key)
        if case .null? = value { return nil }
        guard let count = value?.integer, count >= 0 else {
            throw error(key, "must be a whole number from 0 to 2^53, or null")
        }
        return count
    }
}
