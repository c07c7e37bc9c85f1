internal import Objects
internal import Storage
internal import Synchronization

/// A model at an endpoint: sends requests, repeats those that may succeed later, and explains failures.
///
/// Thread-safe: each thread uses a connection of its own.
struct ServiceClient: Sendable {
    let endpoint: ServiceEndpoint
    /// The service's name for the model.
    let model: String
    private let connections = Connections()

    /// Open connections that no thread uses at the moment.
    private final class Connections: Sendable {
        let idle = Mutex<[Connection]>([])
    }

    /// The longest wait in milliseconds before a retry, even if the service asks for more.
    private static let longestPause = 60_000
    /// How many bytes of the explanation of an error are read.
    private static let explanationBytes = 64 << 10

    init(_ endpoint: ServiceEndpoint, model: String) {
        self.endpoint = endpoint
        self.model = model
    }

    private var api: ServiceAPI { endpoint.address.api }

    /// Makes attempts until one succeeds, fails for good, or the retries or the time are used up.
    ///
    /// - Parameter deadline: When to give up; nil to give up only after the endpoint's number of retries.
    func retrying<Value>(
        by deadline: Deadline? = nil, _ attempt: () throws(ServiceFailure) -> Value
    ) throws(ServiceFailure) -> Value {
        var count = 0
        while true {
            let failure: ServiceFailure
            do throws(ServiceFailure) { return try attempt() } catch { failure = error }
            guard case .passing(_, let wanted) = failure, count < endpoint.retries else {
                throw failure
            }
            let usual = 500 << min(count, 6)
            // Adds jitter so that several programs do not retry in step.
            let pause = min(
                Self.longestPause, max(wanted, usual) + Int.random(in: 0...usual / 2))
            if let deadline, deadline.remaining < .milliseconds(pause) { throw failure }
            try wait(pause, by: deadline)
            count += 1
        }
    }

    private func wait(_ milliseconds: Int, by deadline: Deadline?) throws(ServiceFailure) {
        guard let deadline else { return endpoint.pause(milliseconds) }
        // In steps, to notice when nobody waits for the answer any more.
        for start in stride(from: 0, to: milliseconds, by: 100) {
            guard !deadline.hasEnded else { throw .ended }
            endpoint.pause(min(100, milliseconds - start))
        }
    }

    /// Sends one request, and passes on its answer as it arrives; see ``Connection``.
    ///
    /// - Throws: ``ServiceFailure`` when no answer arrives; a status that means failure is an answer.
    func send(
        _ body: [UInt8]?, limits: Connection.Limits, by deadline: Deadline? = nil,
        receive: (_ status: Int, _ bytes: [UInt8]) -> Bool
    ) throws(ServiceFailure) -> Connection.Head {
        do throws(Connection.Failure) {
            let idle = connections.idle.withLock { $0.popLast() }
            let connection = if let idle { idle } else { try Connection() }
            let head = try connection.exchange(
                body, with: endpoint.address.full, headers: endpoint.headerLines, limits: limits,
                by: deadline, receive: receive)
            connections.idle.withLock { $0.append(connection) }
            return head
        } catch {
            throw failure(error)
        }
    }

    /// Sends one request, and collects its answer.
    ///
    /// - Parameter limit: The most bytes of the answer.
    /// - Throws: ``ServiceFailure``, also for every status but 200.
    func answer(
        to body: [UInt8]?, limit: Int, by deadline: Deadline? = nil
    ) throws(ServiceFailure) -> (bytes: [UInt8], head: Connection.Head) {
        var bytes: [UInt8] = []
        let head = try send(
            body,
            limits: Connection.Limits(
                bytes: max(limit, Self.explanationBytes), milliseconds: endpoint.timeout * 1000),
            by: deadline
        ) { status, part in
            bytes += part
            return status == 200 || bytes.count < Self.explanationBytes
        }
        guard head.status == 200 else {
            throw failure(head.status, ServiceExplanation(bytes), retryAfter: head.retryAfter)
        }
        return (bytes, head)
    }

    /// The failure that a status means.
    func failure(
        _ status: Int, _ said: ServiceExplanation, retryAfter: Int = 0
    ) -> ServiceFailure {
        let what = ServiceStatus.meaning(
            status, of: api, model: model, hasKey: endpoint.isAuthorized)
        let problem = ServiceProblem(
            reason: "\(what) (status \(status))", explanation: said.shown(hiding: redaction),
            fault: 300...399 ~= status ? .refused : .io, remedy: api.remedy(status),
            status: status, retryAfter: max(0, retryAfter), said: said.text)
        guard ServiceStatus.isPassing(status) else { return .final(problem) }
        return .passing(
            problem, pause: min(max(0, retryAfter), Self.longestPause / 1000) * 1000)
    }

    /// The failure of an answer that cannot be used.
    ///
    /// - Parameter said: The service's own explanation, if it gives one.
    func unusable(
        _ reason: String, _ said: ServiceExplanation? = nil, remedy: String? = nil
    ) -> ServiceProblem {
        ServiceProblem(
            reason: reason, explanation: said?.shown(hiding: redaction) ?? "",
            remedy: remedy ?? api.addressRemedy)
    }

    private func failure(_ failure: Connection.Failure) -> ServiceFailure {
        switch failure {
        case .lost(let reason):
            .passing(
                ServiceProblem(
                    reason: "could not be reached: \(reason)", remedy: api.laterRemedy),
                pause: 0)
        case .silent(let milliseconds):
            .passing(
                ServiceProblem(
                    reason: "sent nothing for \(milliseconds / 1000) s", remedy: api.laterRemedy),
                pause: 0)
        case .impossible(let reason):
            .final(
                ServiceProblem(
                    reason: "cannot be called: \(reason)", remedy: api.addressRemedy))
        case .tooLong(let limit):
            .final(
                ServiceProblem(
                    reason: "answers with more than \(limit) bytes", remedy: api.addressRemedy))
        case .ended: .ended
        }
    }

    private var redaction: Redaction {
        Redaction(endpoint.address, endpoint.key, headers: endpoint.headers)
    }
}

/// What is wrong with a service or its answer. Only ``said`` may hold a secret.
struct ServiceProblem {
    /// The predicate of a sentence whose subject is the service.
    var reason: String
    /// The service's own words, as people may see them. They may repeat the request.
    var explanation = ""
    var fault = Fault.io
    var remedy: String
    /// The status of the answer; nil where there was none.
    var status: Int?
    /// The seconds to wait before the next request, as the service asks; 0 where it does not ask.
    var retryAfter = 0
    /// The service's own words, as they came; for decisions, not for messages.
    var said = ""
}

/// Why a request failed.
enum ServiceFailure: Error {
    /// A repetition cannot succeed.
    case final(ServiceProblem)
    /// A repetition may succeed, after a number of milliseconds.
    case passing(ServiceProblem, pause: Int)
    /// The deadline ended.
    case ended

    /// The problem; nil where only the time was up.
    var problem: ServiceProblem? {
        switch self {
        case .final(let problem), .passing(let problem, _): problem
        case .ended: nil
        }
    }
}
