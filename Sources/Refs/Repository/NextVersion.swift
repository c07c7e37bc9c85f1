public import Objects
internal import Storage

/// The next version of a ref, before it is stored.
public struct NextVersion: Sendable {
    /// A member of a snapshot that may differ without making a new version.
    public enum Member: Sendable {
        /// ``Snapshot/message``.
        case message
        /// ``Snapshot/metrics``.
        case metrics
        /// ``Snapshot/params``.
        case params
        /// ``Snapshot/inputs``.
        case inputs
        /// ``Snapshot/space``.
        case space
        /// ``Snapshot/cursor``.
        case cursor
        /// ``Snapshot/index``.
        case index
    }

    /// The ref that gets the version.
    public let name: RefName
    /// The snapshot; its parents are set, and its time is corrected, when it is stored.
    public var snapshot: Snapshot
    /// The members in which it may differ from the version before and still count as unchanged.
    public var incidental: Set<Member>

    /// Makes the next version of a ref.
    public init(of name: RefName, _ snapshot: Snapshot, incidental: Set<Member> = []) {
        self.name = name
        self.snapshot = snapshot
        self.incidental = incidental
    }

    /// Whether it is unchanged from another version; producer, time and parents do not count.
    func isUnchanged(from other: Snapshot) -> Bool {
        func same<Value: Equatable>(_ member: Member, _ value: KeyPath<Snapshot, Value>) -> Bool {
            incidental.contains(member) || snapshot[keyPath: value] == other[keyPath: value]
        }
        return snapshot.kind == other.kind && snapshot.content == other.content
            && same(.cursor, \.cursor) && same(.index, \.index)
            && (incidental.contains(.message)
                || snapshot.message.utf8.elementsEqual(other.message.utf8))
            && same(.metrics, \.metrics) && same(.params, \.params) && same(.inputs, \.inputs)
            && same(.space, \.space)
    }
}

/// A version that is stored and not yet published.
public struct StoredVersion: Sendable {
    /// The snapshot; when nothing changed, the one that the ref points at already.
    public let id: ObjectID
    let update: RefUpdate
    /// Whether the ref points at it already.
    let isOld: Bool
}

extension Transaction {
    /// Stores the next version of a ref, unless the version that the ref points at is the same.
    ///
    /// Its parent is the target of the ref in ``state``, and its time is no earlier than the parent's.
    ///
    /// - Throws: `objects`, also when the target of the ref cannot be read.
    public func store(_ version: NextVersion) throws(RefError) -> StoredVersion {
        var snapshot = version.snapshot
        let parent = state.target(of: version.name)
        if let parent {
            let before = try wrapping(Snapshot(parent, in: objects), as: RefError.objects)
            guard !version.isUnchanged(from: before) else {
                let update = RefUpdate(version.name, expected: .exactly(parent), new: parent)
                return StoredVersion(id: parent, update: update, isOld: true)
            }
            snapshot.created = max(snapshot.created, before.created)
        }
        snapshot.parents = parent.map { [$0] } ?? []
        let id = try wrapping(
            objects.write(snapshot.encoded, hint: .structured), as: RefError.objects)
        let update = RefUpdate(version.name, expected: .same(as: parent), new: id)
        return StoredVersion(id: id, update: update, isOld: false)
    }

    /// Moves refs to stored versions in one transaction. A ref that moved since ``state`` is a conflict.
    ///
    /// When no version is new, no entry is written.
    ///
    /// - Throws: As ``commit(_:message:overriding:)``.
    public func publish(
        _ versions: [StoredVersion], message: String, overriding reason: String? = nil
    ) throws(RefError) -> Commit {
        guard versions.contains(where: { !$0.isOld }) else { return try unchanged() }
        return try commit(versions.map(\.update), message: message, overriding: reason)
    }
}
