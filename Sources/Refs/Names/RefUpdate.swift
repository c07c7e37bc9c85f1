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
