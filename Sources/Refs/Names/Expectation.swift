public import Objects

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
