public import Artifacts
public import Objects
internal import Storage
internal import Synchronization

/// A language model behind a service with OpenAI's API for chat completions.
///
/// Asks for a stream, and takes a whole answer too. Thread-safe.
public final class ChatService: ChatModel {
    /// What requests to the service may take.
    public struct Limits: Hashable, Sendable {
        /// The number of requests at once; further ones wait until their deadline.
        public var atOnce = 4
        /// The maximum number of seconds without any byte from the service.
        public var silence = 60
        /// The tokens that may be spent; nil for any number.
        public var budget: TokenBudget?

        /// Makes the usual limits.
        public init() {}
    }

    /// The model's name at the service.
    public let name: String
    private let client: ServiceClient
    private let limits: Limits
    private let slots: RequestSlots
    private let meter: TokenMeter?
    private let dialect = Mutex((dialect: ChatDialect(), isKnown: false))

    /// Makes a model; sends nothing yet.
    ///
    /// - Parameters:
    ///   - endpoint: Its address must be one of ``ServiceAPI/chat``; its time-out covers a whole reply with all retries.
    public convenience init(
        _ name: String, at endpoint: ServiceEndpoint, limits: Limits = Limits()
    ) {
        self.init(name, at: endpoint, limits: limits, meter: limits.budget.map { TokenMeter($0) })
    }

    init(_ name: String, at endpoint: ServiceEndpoint, limits: Limits, meter: TokenMeter?) {
        self.name = name
        self.limits = limits
        self.meter = meter
        client = ServiceClient(endpoint, model: name)
        slots = RequestSlots(limits.atOnce)
    }

    /// Continues a conversation; see ``ChatModel``.
    ///
    /// Retries a request that got lost or met a busy service, as long as no text has arrived.
    ///
    /// - Throws: `busy` when the deadline ends while other requests use all slots; `spent`, `late`, `cancelled`,
    ///   `service`.
    public func reply(
        to request: ChatRequest, by deadline: Deadline, part: (String) -> Void
    ) throws(GenerationError) -> ChatReply {
        let deadline = deadline.part(of: .seconds(client.endpoint.timeout))
        guard slots.take(by: deadline) else {
            throw deadline.isCancelled
                ? .cancelled : .busy(name: address, atOnce: slots.count)
        }
        defer { slots.give() }
        if request.isCharged, let (tokens, seconds) = meter?.refusal() {
            throw .spent(name: address, tokens: tokens, seconds: seconds)
        }
        var text = ""
        do throws(ServiceFailure) {
            let reply = try client.retrying(by: deadline) { () throws(ServiceFailure) in
                try attempt(request, by: deadline) {
                    text += $0
                    part($0)
                } hasText: {
                    !text.isEmpty
                }
            }
            charge(request, reply)
            return reply
        } catch {
            if !text.isEmpty { charge(request, ChatReply(text: text)) }
            guard let problem = error.problem else {
                throw deadline.isCancelled ? .cancelled : .late(name: address)
            }
            throw problem.generationError(of: address)
        }
    }

    private var address: String { client.endpoint.address.description }

    private func charge(_ request: ChatRequest, _ reply: ChatReply) {
        guard request.isCharged else { return }
        meter?.charge(
            (reply.promptTokens ?? TokenEstimate.tokens(of: request.messages))
                + (reply.replyTokens ?? TokenEstimate.tokens(of: reply.text)))
    }

    /// Makes one attempt, in further dialects if the endpoint refuses the first.
    private func attempt(
        _ request: ChatRequest, by deadline: Deadline, part: (String) -> Void,
        hasText: () -> Bool
    ) throws(ServiceFailure) -> ChatReply {
        var (dialect, isKnown) = self.dialect.withLock { $0 }
        while true {
            let exchange = ChatExchange(model: name, request: request, dialect: dialect)
            do throws(ServiceFailure) {
                let reply = try send(exchange, by: deadline, part: part)
                if !isKnown {
                    let accepted = dialect
                    self.dialect.withLock { $0 = (accepted, true) }
                }
                return reply
            } catch {
                guard let problem = error.problem else { throw error }
                // What the reader already has cannot be taken back.
                guard !hasText() else { throw .final(problem) }
                guard let next = dialect.alternative(after: problem, isKnown: isKnown) else {
                    throw error
                }
                (dialect, isKnown) = (next, false)
            }
        }
    }

    private func send(
        _ exchange: ChatExchange, by deadline: Deadline, part: (String) -> Void
    ) throws(ServiceFailure) -> ChatReply {
        var reader = ChatReplyReader()
        // The deadline ends the exchange, so its own limit comes later.
        let milliseconds = (client.endpoint.timeout + 1) * 1000
        let head: Connection.Head
        do throws(ServiceFailure) {
            head = try client.send(
                exchange.body,
                limits: Connection.Limits(
                    bytes: exchange.limit, milliseconds: milliseconds,
                    silence: limits.silence * 1000), by: deadline
            ) { status, bytes in
                reader.take(bytes, status: status, part: part)
            }
        } catch {
            guard !reader.text.isEmpty, case .passing(var problem, let pause) = error else {
                throw error
            }
            problem.reason =
                Self.cut + ": " + problem.reason.replacing("could not be reached: ", with: "")
            throw .passing(problem, pause: pause)
        }
        do throws(ChatReplyReader.Unusable) {
            return try reader.finish(status: head.status, part: part)
        } catch {
            switch error {
            case .refused(let said):
                // Some services and proxies return errors with status 200 and put the real status in the body.
                let status = head.status == 200 ? said.status : head.status
                guard let status else {
                    throw .final(client.unusable("answers with an error", said))
                }
                throw client.failure(status, said, retryAfter: head.retryAfter)
            case .incomplete: throw .passing(client.unusable(Self.cut), pause: 0)
            case .invalid(let reason, let said): throw .final(client.unusable(reason, said))
            case .empty(let reason, let lacksTokens):
                throw .final(
                    client.unusable(
                        reason, remedy: lacksTokens ? "raise budget.answer of the prompt" : nil))
            }
        }
    }

    private static let cut = "ended its answer in the middle"
}

extension ChatService {
    /// The names of the models that a service has.
    ///
    /// - Parameter endpoint: Any address of the service.
    /// - Throws: `service`, `late`, `cancelled`.
    public static func models(
        at endpoint: ServiceEndpoint, by deadline: Deadline
    ) throws(GenerationError) -> [String] {
        var endpoint = endpoint
        let name = endpoint.address.description
        do throws(ServiceAddress.Malformed) {
            endpoint.address = try endpoint.address.with(.models)
        } catch {
            throw .service(name: name, reason: "cannot be called: its url \(error.reason)", .usage)
        }
        let client = ServiceClient(endpoint, model: "")
        do throws(ServiceFailure) {
            return try client.retrying(by: deadline) { () throws(ServiceFailure) in
                let (bytes, _) = try client.answer(to: nil, limit: 1 << 20, by: deadline)
                guard
                    let items = (try? JSON(parsing: bytes.span, roundsNumbers: true))?["data"]?
                        .array
                else {
                    throw .final(
                        client.unusable(
                            "answers without a list of models", ServiceExplanation(bytes)))
                }
                return items.compactMap { $0["id"]?.string }
            }
        } catch {
            guard let problem = error.problem else {
                throw deadline.isCancelled ? .cancelled : .late(name: name)
            }
            throw problem.generationError(of: endpoint.address.description)
        }
    }
}

extension ServiceProblem {
    /// The error of a language model with this problem.
    fileprivate func generationError(of name: String) -> GenerationError {
        status == 429
            ? .limited(name: name, seconds: retryAfter, said: explanation)
            : .service(name: name, reason: reason, fault, remedy: remedy, said: explanation)
    }
}
