internal import Hummingbird
internal import Synchronization

/// What all requests of a server share: how many are handled at once, and how much memory large bodies take.
final class RequestBudget: Sendable {
    private let limits: ServerLimits
    private let requests = Atomic(0)
    private let largeBodies = Atomic(0)

    /// The part of a body that every request may have. Clients that send large bodies slowly can keep others from
    /// sending large bodies, but not from sending these.
    static let smallBody = 64 << 10

    init(_ limits: ServerLimits) { self.limits = limits }

    /// The requests that are handled now.
    var count: Int { requests.load(ordering: .relaxed) }

    /// Takes a place for a request; false when there is none.
    func takeRequest() -> Bool {
        guard requests.wrappingAdd(1, ordering: .relaxed).newValue <= limits.requests else {
            releaseRequest()
            return false
        }
        return true
    }

    func releaseRequest() { requests.wrappingSubtract(1, ordering: .relaxed) }

    /// Takes memory for a part of a large body; false when there is none.
    func takeBody(_ count: Int) -> Bool {
        let total = largeBodies.wrappingAdd(count, ordering: .relaxed).newValue
        guard total <= limits.bodyBytesInAll else {
            releaseBody(count)
            return false
        }
        return true
    }

    func releaseBody(_ count: Int) { largeBodies.wrappingSubtract(count, ordering: .relaxed) }

    /// The answer to a request for which there is no room.
    static let full = HTTPFailure(
        .tooManyRequests, "the server handles as many requests as it may",
        code: "too_many_requests", retryAfter: 1)
}
