internal import Objects

/// A fact that a snapshot may state: a metric, a parameter, or an input.
public enum Evidence: Hashable, Sendable, CustomStringConvertible {
    /// The metric of this name.
    case metric(String)
    /// The parameter of this name.
    case parameter(String)
    /// The input that is reached by these roles, one after the other.
    case input(roles: [String])

    /// Reads `metrics.NAME`, `params.NAME` or `inputs.ROLE`, where roles that follow one another are
    /// separated by periods; nil when the text is none of these.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count <= Gate.nameLimit, let period = bytes.firstIndex(of: 0x2E),
            period + 1 < bytes.count
        else { return nil }
        let name = String(decoding: bytes[(period + 1)...], as: UTF8.self)
        switch String(decoding: bytes[..<period], as: UTF8.self) {
        case "metrics": self = .metric(name)
        case "params": self = .parameter(name)
        case "inputs":
            guard let roles = Self.roles(name) else { return nil }
            self = .input(roles: roles)
        default: return nil
        }
    }

    /// The roles of a path such as `dataset.features`; nil when one of them is empty.
    static func roles(_ path: String) -> [String]? {
        let roles = path.utf8.split(separator: 0x2E, omittingEmptySubsequences: false)
        guard path.utf8.count <= Gate.nameLimit, roles.allSatisfy({ !$0.isEmpty }) else {
            return nil
        }
        return roles.map { String(decoding: $0, as: UTF8.self) }
    }

    /// As it is written.
    public var description: String {
        switch self {
        case .metric(let name): "metrics." + name
        case .parameter(let name): "params." + name
        case .input(let roles): "inputs." + roles.joined(separator: ".")
        }
    }
}
