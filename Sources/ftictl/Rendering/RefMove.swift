import CommandSupport
import Objects
import Refs

/// One value that a ref was given, with all that `log` shows of it.
struct RefMove {
    /// How a ref came to its value.
    enum Manner: String {
        case created
        case advanced
        case rolledBack
        case removed
    }

    let name: RefName
    let entry: LogEntry
    let target: ObjectID?
    let previous: ObjectID?
    /// The snapshot at ``target``; nil when the ref was removed, or the snapshot was collected since.
    let snapshot: Snapshot?
    /// The snapshot at ``previous``, to compare with.
    let before: Snapshot?
    let manner: Manner
    let isCurrent: Bool
    /// Who signed the transaction, as the policy calls the key; nil when nobody did.
    let signer: String?

    /// What a transaction did to a ref.
    ///
    /// - Parameter older: Values that the ref had before.
    init(
        _ change: RefChange, _ entry: LogEntry, snapshot: Snapshot?, before: Snapshot?,
        older: Set<ObjectID>, in state: State
    ) {
        name = change.name
        self.entry = entry
        target = change.new
        previous = change.old
        self.snapshot = snapshot
        self.before = before
        manner = Self.manner(from: change.old, before, to: change.new, older: older)
        signer = entry.signature.map { state.name(of: $0.key) }
        isCurrent = state.refs[change.name]?.transaction == entry.number
    }

    /// The kind of movement: back to an older value, or on to a new one.
    ///
    /// - Parameter older: The values that the ref had before ``previous``.
    static func manner(
        from previous: ObjectID?, _ before: Snapshot?, to target: ObjectID?, older: Set<ObjectID>
    ) -> Manner {
        guard let target else { return .removed }
        guard previous != nil else { return .created }
        let isAncestor = before?.parents.contains(target) ?? false
        return isAncestor || older.contains(target) ? .rolledBack : .advanced
    }

    /// Whether there is no more than the log's word of the value.
    var isCollected: Bool { target != nil && snapshot == nil }

    /// The fields of `log --json`.
    var json: JSONObject {
        var object = JSONObject()
        object["ref"] = .string(name.text)
        object["id"] = .id(target)
        object["previous"] = .id(previous)
        object["transaction"] = .integer(entry.number)
        object["time"] = .string(entry.time.description)
        object["author"] = .string(entry.writer)
        object["reason"] = .string(entry.message)
        object["signer"] = signer.map { .string($0) } ?? .null
        object["override"] = entry.override.map(\.json) ?? .null
        object["movement"] = .string(manner.rawValue)
        object["current"] = .bool(isCurrent)
        object["collected"] = .bool(isCollected)
        object["created"] = .string((snapshot?.created ?? entry.time).description)
        object["message"] = .string(snapshot?.message ?? "")
        object["kind"] = snapshot.map { .string($0.kind.rawValue) } ?? .null
        object["metrics"] = .object(JSONObject(snapshot?.metrics ?? [:]) { .number($0) })
        object["params"] = .object(snapshot?.params ?? JSONObject())
        object["inputs"] = .object(JSONObject(snapshot?.inputs ?? [:]) { .id($0) })
        return object
    }
}

extension JSONObject {
    /// An object with the members of a dictionary.
    init<Value>(_ members: [String: Value], _ convert: (Value) -> JSON) {
        self.init(members.map { ($0, convert($1)) })
    }
}

extension JSON {
    /// An identity, or null.
    static func id(_ id: ObjectID?) -> JSON { id.map { .string($0.hex) } ?? .null }
}
