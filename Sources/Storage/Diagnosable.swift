/// The class of a failure, which decides the exit code of every executable.
public enum Fault: Sendable, CaseIterable {
    /// The request itself is malformed.
    case usage
    /// No such ref, object, path or repository.
    case missing
    /// Somebody else moved the ref first.
    case conflict
    /// Policy, a gate or the kind of a ref forbids it.
    case refused
    /// The repository's bytes are not what they must be.
    case damaged
    /// The operating system, the disk or the network failed.
    case io
}

/// An error that tells a person what happened, where, and what to do next.
public protocol Diagnosable: Error, Sendable {
    /// The class of the failure.
    var fault: Fault { get }
    /// One line that says what happened and where; it ends without a full stop.
    var message: String { get }
    /// What to do next, a command line where one exists.
    var remedy: String? { get }
}

extension Diagnosable {
    /// No remedy beyond the message itself.
    public var remedy: String? { nil }
}
