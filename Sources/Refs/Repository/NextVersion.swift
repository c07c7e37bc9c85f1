public import Objects

/// What a ref is to point at next, before it is stored.
public struct NextVersion: Sendable {
    /// A member of a snapshot that a new version may leave unsaid.
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

    /// The ref.
    public let name: RefName
    /// The snapshot. Its parents are set, and its time put right, when it is stored.
    public var snapshot: Snapshot
    /// Members in which it may differ from the version before and still say nothing new.
    public var incidental: Set<Member>

    /// Makes the next version of a ref.
    public init(of name: RefName, _ snapshot: Snapshot, incidental: Set<Member> = []) {
        self.name = name
        self.snapshot = snapshot
        self.incidental = incidental
    }

    /// Whether it says what another version says. Who made it, when, and after what does not count.
    func says(the other: Snapshot) -> Bool {
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
    /// The snapshot: the one that the ref points at already where there is nothing new to say.
    public let id: ObjectID
    let update: RefUpdate
    /// Whether the ref points at it already.
    let isOld: Bool
}

extension Transaction {
    /// Stores the next version of a ref, unless the ref points at a version that says the same.
    ///
    /// Its parent is what the ref points at in ``state``, and it is no older: neither a log runs backwards nor the snapshots in it.
    ///
    /// - Throws: `objects`, also when what the ref points at cannot be read.
    public func store(_ version: NextVersion) throws(RefError) -> StoredVersion {
        do throws(ObjectError) {
            var snapshot = version.snapshot
            let parent = state.target(of: version.name)
            if let parent {
                let before = try Snapshot(parent, in: objects)
                guard !version.says(the: before) else {
                    let update = RefUpdate(version.name, expected: .exactly(parent), new: parent)
                    return StoredVersion(id: parent, update: update, isOld: true)
                }
                snapshot.created = max(snapshot.created, before.created)
            }
            snapshot.parents = parent.map { [$0] } ?? []
            let id = try objects.write(snapshot.encoded, hint: .structured)
            let update = RefUpdate(
                version.name, expected: parent.map { .exactly($0) } ?? .absent, new: id)
            return StoredVersion(id: id, update: update, isOld: false)
        } catch { throw .objects(error) }
    }

    /// Moves refs to versions that are stored, in one transaction; each ref must not have moved since ``state``.
    ///
    /// Where no version is new there is no entry.
    ///
    /// - Throws: As ``commit(_:message:overriding:)``.
    public func publish(
        _ versions: [StoredVersion], message: String, overriding reason: String? = nil
    ) throws(RefError) -> Commit {
        guard versions.contains(where: { !$0.isOld }) else { return try unchanged() }
        return try commit(versions.map(\.update), message: message, overriding: reason)
    }
}
