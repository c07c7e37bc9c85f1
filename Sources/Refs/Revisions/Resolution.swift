public import Objects

/// What a revision means in one state.
public struct Resolution: Sendable {
    /// What was found.
    public enum Target: Hashable, Sendable {
        /// A snapshot.
        case snapshot(ObjectID)
        /// An object that is not a snapshot.
        case object(ObjectID)
        /// A path below a snapshot's tree.
        case entry(TreeEntry)
        /// The row of a snapshot's table that has this key.
        case row(key: String)
    }

    /// What was found.
    public let target: Target
    /// The snapshot that it is, or that the path begins from; nil for other objects.
    public let snapshot: ObjectID?
    /// The ref that the revision begins with.
    public let ref: RefName?
    /// What the caller should tell a person, such as that a moment lies in the future.
    public let warnings: [String]

    /// The identity of the object that was found; nil for a row, which is a part of one.
    public var id: ObjectID? {
        switch target {
        case .snapshot(let id), .object(let id): id
        case .entry(let entry): entry.id
        case .row: nil
        }
    }
}
