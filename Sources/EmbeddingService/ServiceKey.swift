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

    /// Text with the secret replaced, wherever it is in it.
    func redacted(_ text: String) -> String {
        let bytes = Array(text.utf8)
        let hidden = Array(secret.utf8)
        var result: [UInt8] = []
        var at = 0
        while at < bytes.count {
            if bytes[at...].starts(with: hidden) {
                result += Array("***".utf8)
                at += hidden.count
            } else {
                result.append(bytes[at])
                at += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
