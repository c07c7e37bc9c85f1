internal import Hummingbird
internal import HummingbirdCore
internal import Logging
internal import Objects
internal import Storage

/// Everything that happens to a request before and after its route: identity, deadline, host, token, limits, the
/// mapping of errors, and the headers that all responses have.
struct ServingResponder: HTTPResponder {
    typealias Context = ServingContext

    let configuration: HTTPServer.Configuration
    let router: RouterResponder<ServingContext>
    let routes: RouteList
    let acceptedHosts: Set<String>?
    let connections: Connections
    let budget: RequestBudget
    let observer: ServerObserver
    let failures: FailureMapping

    func respond(to request: Request, context: ServingContext) async throws -> Response {
        var context = context
        let client = clientAddress(request, context.connection)
        let id = RequestIdentity.id(request.headers)
        var record = Exchange.Record()
        (record.id, record.method, record.address) = (id, request.method.rawValue, client)
        let time = time(for: request)
        let exchange = Exchange(
            Deadline(after: time ?? configuration.limits.requestTime), record
        ) { [observer] in observer.report($0, $1, $2) }
        context.requestID = id
        context.address = client
        context.deadline = exchange.deadline
        context.exchange = exchange
        context.failures = failures
        context.budget = budget
        context.bodyLimit = configuration.limits.bodyBytes
        context.logger = configuration.logger
        context.logger[metadataKey: "id"] = .string(id)
        context.connection?.begin(exchange)
        var response: Response
        do {
            guard time != nil else {
                throw HTTPFailure(
                    .badRequest, "X-Request-Timeout is not a number of seconds",
                    code: "invalid_timeout")
            }
            try admit(request, &context, exchange)
            response = try await route(request, context, exchange)
        } catch {
            response = answer(error, request, context, exchange)
        }
        finish(&response, id)
        if request.method == .head { response = Self.withoutBody(response) }
        let (status, token) = (response.status.code, context.token)
        let path = context.endpointPath.flatMap { $0 == RouteList.notFound ? nil : $0 }
        exchange.record { record in
            record.status = status
            record.token = token
            if let path { record.route = path }
        }
        if context.connection == nil { exchange.finish() }
        return response
    }

    /// Runs the route in a task of its own, which is cancelled when the request ends early.
    private func route(
        _ request: Request, _ context: ServingContext, _ exchange: Exchange
    ) async throws -> Response {
        var request = request
        if request.method == .head {
            // HEAD is answered wherever GET is.
            var head = request.head
            head.method = .get
            request = Request(head: head, body: request.body)
        }
        let task = Task(executorPreference: context.connection?.executor) { [request] in
            try await router.respond(to: request, context: context)
        }
        exchange.onEnd { task.cancel() }
        return try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            exchange.end(.stopping)
        }
    }

    /// Refuses what must not reach a route.
    private func admit(
        _ request: Request, _ context: inout ServingContext, _ exchange: Exchange
    ) throws(HTTPFailure) {
        let path = request.uri.path
        // Probes address a server by whatever name they reach it.
        let isProbe = path == "/healthz" || path == "/readyz"
        if let acceptedHosts, !isProbe, let authority = request.head.authority {
            guard let host = HostName(authority), acceptedHosts.contains(host.name) else {
                throw HTTPFailure(
                    .misdirectedRequest,
                    "the server does not answer for this host: listen.hosts lists those it does",
                    code: "unknown_host")
            }
        }
        let isHealth = HTTPServer.healthPaths.contains(path)
        if let tokens = configuration.tokens {
            context.token = try name(of: request.headers[.authorization], tokens)
            let isOpen =
                configuration.isOpen(path)
                || isHealth && !(path == "/metrics" && configuration.metricsNeedToken)
            guard context.token != nil || isOpen else {
                throw HTTPFailure.unauthorized("a token is needed, as Authorization: Bearer TOKEN")
            }
        }
        if let text = request.headers[.contentLength], let length = Int(text),
            length > configuration.limits.bodyBytes
        {
            throw FailureMapping.tooLarge
        }
        // A body that is still coming takes its place once it is there; see `Request.json`.
        let hasNoBody = request.method == .get || request.method == .head
        if hasNoBody, !isHealth { try exchange.takePlace(in: budget) }
    }

    /// The name of the token in an `Authorization` header; nil where there is no header.
    private func name(
        of value: String?, _ tokens: TokenFile
    ) throws(HTTPFailure) -> String? {
        guard let value else { return nil }
        let words = value.split(separator: " ", omittingEmptySubsequences: true)
        guard words.count == 2, words[0].lowercased() == "bearer" else {
            throw HTTPFailure.unauthorized("the Authorization header is not Bearer TOKEN")
        }
        guard let name = tokens.name(of: words[1]) else {
            throw HTTPFailure.unauthorized("the token is not known")
        }
        return name
    }

    private func answer(
        _ error: any Error, _ request: Request, _ context: ServingContext, _ exchange: Exchange
    ) -> Response {
        let form = error as? FormattedFailure
        let error = form?.cause ?? error
        var failure = failures.failure(error, ending: exchange.ending)
        if failure.status == .notFound, context.endpointPath == RouteList.notFound {
            failure = routes.failure(request.uri.path)
        }
        if exchange.ending == nil, FailureMapping.isUnexpected(error) {
            observer.failed(error, id: context.requestID)
        }
        if let code = failure.code, Self.refusals.contains(code) { observer.refused(code) }
        return form?.response(failure) ?? failure.response
    }

    /// The codes that count as refusals in the metrics.
    private static let refusals: Set<String> = [
        "unknown_host", "invalid_api_key", "body_too_large", "too_many_requests",
        "rate_limit_exceeded", "deadline_exceeded", "slow_body", "malformed_request", "stopping",
    ]

    /// The answer to HEAD: the headers that GET gets, with a length only where the length is known.
    private static func withoutBody(_ response: Response) -> Response {
        let length = response.headers[.contentLength]
        var head = Response(status: response.status, headers: response.headers)
        head.headers[.contentLength] = length
        return head
    }

    private func finish(_ response: inout Response, _ id: String) {
        response.headers[HeaderName.requestID] = id
        for (name, value) in [
            (HeaderName.contentTypeOptions, "nosniff"), (.cacheControl, "no-store"),
            (.contentSecurityPolicy, configuration.contentSecurityPolicy),
            (HeaderName.referrerPolicy, "no-referrer"),
        ] where !response.headers.contains(name) {
            response.headers[name] = value
        }
    }

    /// The time that the client allows, at most the server's; nil when the client's is no number.
    private func time(for request: Request) -> Duration? {
        let most = configuration.limits.requestTime
        guard let text = request.headers[HeaderName.timeout] else { return most }
        guard let seconds = Double(text), seconds > 0, seconds.isFinite else { return nil }
        return min(most, .seconds(min(seconds, 86400)))
    }

    /// The address of the client: that of the connection, unless a trusted proxy names another.
    private func clientAddress(_ request: Request, _ connection: Connection?) -> String {
        guard let connection, let peer = connection.address, connections.isProxy(peer) else {
            return connection?.addressText ?? "unknown"
        }
        let named = RequestIdentity.forwarded(request.headers)
        // From the right: each trusted proxy vouches for the address that it added.
        var address = connection.addressText
        for text in named.reversed() {
            guard let next = IPAddress(text) else { break }
            address = text
            guard connections.isProxy(next) else { break }
        }
        return address
    }
}
