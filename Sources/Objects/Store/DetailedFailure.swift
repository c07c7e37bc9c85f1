public import Storage

/// A failure that a program can be told more of than a person reads.
public protocol DetailedFailure: Diagnosable {
    /// What the report in JSON has beside the message; none of the members that every report has.
    var details: JSONObject { get }
}
