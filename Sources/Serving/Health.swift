public import Objects
internal import Synchronization

/// One condition of readiness.
public struct HealthCheck: Sendable {
    /// The name of the condition, such as `repository`.
    public var name: String
    /// Whether the server can answer as far as this condition goes.
    public var isReady: Bool
    /// Why not, or what an operator should know although it is met; nil where there is nothing to say.
    public var reason: String?
    /// Further members of the report.
    public var details: JSONObject

    /// Makes a check.
    public init(
        _ name: String, isReady: Bool, reason: String? = nil, details: JSONObject = JSONObject()
    ) {
        self.name = name
        self.isReady = isReady
        self.reason = reason
        self.details = details
    }

    var json: JSON {
        var object = details
        object["name"] = .string(name)
        object["ready"] = .bool(isReady)
        object["reason"] = reason.map { .string($0) } ?? .null
        return .object(object)
    }
}

/// Whether the server is ready, as `/readyz` reports it.
public final class Health: Sendable {
    private let stopping = Mutex(false)
    private let checks: @Sendable () async -> [HealthCheck]

    /// Makes a report of an app's conditions, which are evaluated at each request of `/readyz`.
    public init(_ checks: @escaping @Sendable () async -> [HealthCheck] = { [] }) {
        self.checks = checks
    }

    /// Whether the server stops, and so is not ready whatever the conditions are.
    public var isStopping: Bool { stopping.withLock { $0 } }

    func stop() { stopping.withLock { $0 = true } }

    /// The report: `{"ready", "checks": [{"name", "ready", "reason"}]}`.
    func report() async -> (isReady: Bool, json: JSON) {
        var checks = await checks()
        if isStopping {
            checks.append(HealthCheck("server", isReady: false, reason: "the server stops"))
        }
        let isReady = checks.allSatisfy(\.isReady)
        return (isReady, ["ready": .bool(isReady), "checks": .array(checks.map(\.json))])
    }
}
