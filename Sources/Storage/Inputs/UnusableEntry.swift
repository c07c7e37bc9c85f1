/// An entry of a directory that cannot be stored.
public struct UnusableEntry: Hashable, Sendable, CustomStringConvertible {
    /// What about it cannot be.
    public enum Problem: Hashable, Sendable {
        /// No tree may hold its name.
        case name
        /// It is a symbolic link that is not followed.
        case link
        /// It is a pipe, a socket or a device, or a link that leads nowhere.
        case nature
    }

    /// Where it is, printable.
    public let path: String
    /// What about it cannot be.
    public let problem: Problem
    /// Why, as a clause that begins with "it".
    public let reason: String

    /// `PATH: REASON`.
    public var description: String { "\(path): \(reason)" }

    /// What to do about some of them.
    static func remedy(for entries: [UnusableEntry]) -> String {
        let problems = Set(entries.map(\.problem))
        var ways: [String] = []
        if problems.contains(.link) { ways.append("--follow stores what links lead to") }
        if problems.contains(.name) { ways.append("--rename-invalid gives them other names") }
        return (ways + ["--exclude PATTERN leaves them out"]).joined(separator: "; ")
    }
}
