internal import Hummingbird
internal import Logging
internal import Storage
internal import Synchronization

/// Writes the access log and counts what the server does.
final class ServerObserver: Sendable {
    private let logger: Logger
    private let requests: Metrics.Counter
    private let durations: Metrics.Histogram
    private let refusals: Metrics.Counter
    private let receivedBytes = Atomic(0)
    private let sentBytes = Atomic(0)

    init(
        _ metrics: Metrics, connections: Connections, budget: RequestBudget, logger: Logger
    ) {
        self.logger = logger
        requests = metrics.counter(
            "http_requests_total", "Requests that were answered.",
            labels: ["route", "method", "status"])
        durations = metrics.histogram(
            "http_request_duration_seconds",
            "From the headers of a request to the last byte of its response.",
            labels: ["route", "method"])
        refusals = metrics.counter(
            "http_refused_total", "Requests and connections that were refused, by reason.",
            labels: ["reason"])
        metrics.gauge("http_requests_in_flight", "Requests that are being handled.") {
            [weak budget] in [([], Double(budget?.count ?? 0))]
        }
        metrics.gauge("http_connections", "Open connections.") { [weak connections] in
            [([], Double(connections?.count ?? 0))]
        }
        metrics.counter("http_received_bytes_total", "Bytes that clients sent.") { [weak self] in
            [([], Double(self?.receivedBytes.load(ordering: .relaxed) ?? 0))]
        }
        metrics.counter("http_sent_bytes_total", "Bytes of the bodies of responses.") {
            [weak self] in [([], Double(self?.sentBytes.load(ordering: .relaxed) ?? 0))]
        }
        ProcessMetrics.register(in: metrics)
    }

    func received(_ count: Int) { receivedBytes.wrappingAdd(count, ordering: .relaxed) }

    func sent(_ count: Int) { sentBytes.wrappingAdd(count, ordering: .relaxed) }

    /// A connection or a request was refused.
    func refused(_ reason: String) { refusals.add(1, reason) }

    /// A request that never became one was answered.
    func refused(_ failure: HTTPFailure, address: String) {
        refused(failure.code ?? "other")
        var record = Exchange.Record()
        record.id = "none"
        record.method = "none"
        record.address = address
        record.status = failure.status.code
        record.bytes = failure.bytes.count
        report(record, nil, .zero)
    }

    /// A request is done.
    func report(
        _ record: Exchange.Record, _ ending: Exchange.Ending?, _ duration: Duration
    ) {
        let status = ending == .clientLeft || ending == .stalled ? 499 : record.status
        let method = Self.methods.contains(record.method) ? record.method : "other"
        requests.add(1, record.route, method, String(status))
        if method != "none" { durations.observe(duration, record.route, method) }
        var metadata: Logger.Metadata = [
            "id": .string(record.id), "method": .string(record.method),
            "route": .string(record.route), "status": .stringConvertible(status),
            "bytes": .stringConvertible(record.bytes),
            "ms": .stringConvertible((duration.inSeconds * 1e5).rounded() / 100),
            "address": .string(record.address),
        ]
        if let token = record.token { metadata["token"] = .string(token) }
        if let ending { metadata["ended"] = .string(ending.rawValue) }
        logger.info("request", metadata: metadata)
    }

    /// An error that an operator should read about.
    func failed(_ error: any Error, id: String) {
        logger.error("\(FailureMapping.text(of: error))", metadata: ["id": .string(id)])
    }

    private static let methods: Set<String> = [
        "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "none",
    ]
}
