internal import NIOCore
internal import Synchronization

/// All open connections: counts them for the limits, and looks after those that wait too long.
final class Connections: Sendable {
    /// Why a connection was closed when it was accepted.
    enum Refusal: String {
        /// There are too many in all.
        case all = "connections"
        /// There are too many from one client.
        case address = "connections_per_address"
    }

    private struct State {
        var open: [ObjectIdentifier: Connection] = [:]
        var perClient: [IPAddress: Int] = [:]
    }

    private let limits: ServerLimits
    private let proxies: [AddressRange]
    private let state = Mutex(State())

    init(_ limits: ServerLimits, proxies: [AddressRange]) {
        self.limits = limits
        self.proxies = proxies
    }

    /// The number of open connections.
    var count: Int { state.withLock { $0.open.count } }

    /// Counts a connection that opened; returns why it must be closed instead.
    func add(_ connection: Connection) -> Refusal? {
        let client = client(of: connection)
        return state.withLock { state in
            guard state.open.count < limits.connections else { return .all }
            if let client {
                guard state.perClient[client, default: 0] < limits.connectionsPerAddress else {
                    return .address
                }
                state.perClient[client, default: 0] += 1
            }
            state.open[ObjectIdentifier(connection)] = connection
            return nil
        }
    }

    /// Forgets a connection that closed.
    func remove(_ connection: Connection) {
        let client = client(of: connection)
        state.withLock { state in
            guard state.open.removeValue(forKey: ObjectIdentifier(connection)) != nil,
                let client, let count = state.perClient[client]
            else { return }
            state.perClient[client] = count > 1 ? count - 1 : nil
        }
    }

    /// Whether an address is that of a trusted proxy.
    func isProxy(_ address: IPAddress) -> Bool { proxies.contains { $0.contains(address) } }

    /// Gives up on whatever waits too long.
    ///
    /// - Parameters:
    ///   - measures: Whether to look, too, which clients read their responses.
    ///   - stalled: Called for each connection that is closed because its client reads nothing.
    func sweep(
        now: ContinuousClock.Instant, measures: Bool,
        stalled: () -> Void
    ) {
        for connection in all {
            if measures { connection.measure() }
            if connection.check(now: now, limits) == .stalled { stalled() }
        }
    }

    /// Closes all connections, and ends the requests that they carry.
    func closeAll() {
        for connection in all {
            connection.end(.stopping)
            connection.send(.abort)
        }
    }

    private var all: [Connection] { state.withLock { Array($0.open.values) } }

    /// Whom a connection counts for; nil for a proxy.
    private func client(of connection: Connection) -> IPAddress? {
        guard let address = connection.address, !isProxy(address) else { return nil }
        return address.client
    }
}
