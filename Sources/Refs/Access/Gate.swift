public import Objects

/// What a move of some refs must satisfy: one of the gates that a policy sets.
public struct Gate: Hashable, Sendable {
    /// What a gate asks of the snapshot that a ref is to point at.
    public enum Condition: Hashable, Sendable {
        /// A metric of the snapshot lies within bounds, of which one at least is given.
        case metric(String, atLeast: Double?, atMost: Double?)
        /// The input that is reached by these roles, one after the other, is what a ref is after the
        /// transaction, or an ancestor of it.
        case input(roles: [String], ancestorOf: RefName)
        /// The snapshot and what a ref is after the transaction have one embedding space.
        case space(with: RefName)
        /// The snapshot has all of these facts.
        case evidence([Evidence])
        /// Every file of the snapshot is of one of these formats, by its content.
        case formats([FileFormat])
        /// So many keys have approved the move; `keys` are the names of those that count, nil for all.
        case approvals(count: Int, keys: [String]?)
        /// The ref stays where it is once it exists: a tag.
        case fixed
    }

    /// The refs that it is about.
    public let refs: RefPattern
    /// What it asks.
    public let condition: Condition

    /// Makes a gate.
    public init(refs: RefPattern, condition: Condition) {
        self.refs = refs
        self.condition = condition
    }

    /// The most gates that a policy may have.
    public static let countLimit = 256
    /// The most items that a list in a gate may have.
    static let listLimit = 64
    /// The most bytes that a name in a gate may have.
    static let nameLimit = 200
}
