/// The secret that a service is shown. It does not print itself.
public struct ServiceKey: Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    let secret: String

    /// Takes a secret; nil when a header cannot hold it.
    public init?(_ secret: String) {
        let isSafe = secret.utf8.allSatisfy { 0x21...0x7E ~= $0 }
        guard isSafe, 1...4096 ~= secret.utf8.count else { return nil }
        self.secret = secret
    }

    /// Nothing of the secret.
    public var description: String { "***" }
    /// Nothing of the secret.
    public var debugDescription: String { "***" }
    /// Nothing of the secret.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
