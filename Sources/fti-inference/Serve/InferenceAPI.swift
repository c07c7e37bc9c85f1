import Artifacts
import Conditions
import Hummingbird
import InferencePipeline
import Logging
import NIOCore
import Objects
import Refs
import Serving
import Storage

/// The routes of OpenAI's API, and those for answers and feedback.
struct InferenceAPI: Sendable {
    let service: AnswerService
    /// What the service serves, as clients name it: the id of its only model and of its only vector store.
    let servedName: String
    /// Runs retrieval, which needs the processor.
    let retrievalPool: WorkPool
    /// Runs answers, which mostly wait for a language model.
    let answerPool: WorkPool
    let answers: AnswerLog
    let measures: InferenceMeasures
    /// Whether the log has questions and answers.
    let logsQuestions: Bool
    /// Seconds since 1970 when the service started.
    let started: Int

    /// Adds the routes.
    func add(to router: Router<ServingContext>) {
        router.get("v1/models") { _, _ in
            Response.json(["object": "list", "data": [modelObject]])
        }
        router.get("v1/models/:id") { _, context in
            try checkModel(try context.pathParameter("id"))
            return Response.json(modelObject)
        }
        router.post("v1/chat/completions", use: chatCompletion)
        router.post("v1/responses", use: response)
        router.post("v1/embeddings", use: embeddings)
        router.post("v1/vector_stores/:id/search", use: search)
        router.get("v1/answers/:id", use: answer)
        router.post("v1/answers/:id/feedback", use: feedback)
    }

    private var modelObject: JSON {
        let versions = service.current
        return [
            "id": .string(servedName), "object": "model", "created": .integer(started),
            "owned_by": "fti", "fti": .object(ServedVersions(versions, in: service).json),
        ]
    }

    /// Whether the service can answer.
    var health: Health {
        Health { [service] in
            let versions = service.current
            let parked = service.parked
            var details = ServedVersions(versions, in: service).json
            details["behind"] = .integer(service.transactionsBehind)
            details["parked"] =
                parked.map { parked in
                    [
                        "snapshots": .object(
                            JSONObject(parked.snapshots.map { ($0.key, .string($0.value.hex)) })),
                        "reason": .string(Secrets.redacted(parked.error.publicMessage)),
                        "since": .string(parked.since.description),
                    ]
                } ?? .null
            var checks = [
                HealthCheck(
                    "versions", isReady: true,
                    reason: parked.map { _ in
                        "new versions are parked; the previous ones are served"
                    },
                    details: details)
            ]
            if case .failed(let error) = versions.opened.engineCheck {
                checks.append(
                    HealthCheck(
                        "generator", isReady: false, reason: Secrets.redacted(error.publicMessage)))
            }
            return checks
        }
    }

    /// Refuses a model that is not served.
    private func checkModel(_ name: String) throws {
        guard name.utf8.elementsEqual(servedName.utf8) else {
            throw HTTPFailure(
                .notFound, "the model '\(name)' does not exist: this server serves '\(servedName)'",
                code: "model_not_found", param: "model")
        }
    }
}

// MARK: Answers

extension InferenceAPI {
    @Sendable
    private func chatCompletion(
        _ request: Request, _ context: ServingContext
    ) async throws -> Response {
        let asked = try ChatCompletionRequest(
            try await request.json(context, roundsNumbers: true))
        try checkModel(asked.model)
        let run = AnswerRun(ask: asked.ask, in: self, context)
        let form = ChatCompletion(
            model: servedName, id: "chatcmpl-" + run.id.description, created: run.created,
            countsTokens: asked.countsTokens)
        return try await respond(run, in: form, isStreamed: asked.isStreamed, context)
    }

    @Sendable
    private func response(
        _ request: Request, _ context: ServingContext
    ) async throws -> Response {
        let asked = try ResponseRequest(
            try await request.json(context, roundsNumbers: true))
        try checkModel(asked.model)
        let run = AnswerRun(ask: asked.ask, in: self, context)
        let form = ResponseForm(
            request: asked, model: servedName, id: "resp_" + run.id.description,
            messageID: "msg_" + run.id.description, created: run.created)
        return try await respond(
            run, in: ResponseEvents(form), isStreamed: asked.isStreamed, context)
    }

    /// Answers in the form of an API, whole or as a stream of events.
    private func respond(
        _ run: AnswerRun, in form: some AnswerForm, isStreamed: Bool, _ context: ServingContext
    ) async throws -> Response {
        guard isStreamed else {
            let record = try await context.run(on: answerPool) { try run.finish { _ in } }
            return Response.json(form.body(record), headers: run.headers)
        }
        return try await context.stream(
            on: answerPool,
            failureEvent: { [form] failure, count in form.failed(failure, after: count) }
        ) { stream in
            stream.setHeaders(run.headers)
            var form = form
            var hasBegun = false
            func begin() throws(WorkPool.Refusal) {
                guard !hasBegun else { return }
                hasBegun = true
                for event in form.opening() { try stream.send(event) }
            }
            // A client that left ends the deadline, which stops the generator.
            let record = try run.finish { part in
                try? begin()
                try? stream.send(form.part(part))
            }
            try begin()
            for event in form.closing(record) { try stream.send(event) }
        }
    }
}

/// The form in which an API gives an answer.
protocol AnswerForm: Sendable {
    /// The body of the whole answer.
    func body(_ record: AnswerRecord) -> JSON
    /// The events of a stream before the first part of the text.
    mutating func opening() -> [[UInt8]]
    /// The event of a part of the text.
    mutating func part(_ text: String) -> [UInt8]
    /// The events after the last part.
    mutating func closing(_ record: AnswerRecord) -> [[UInt8]]
    /// The last event of a stream that fails after a number of events.
    func failed(_ failure: HTTPFailure, after count: Int) -> [UInt8]
}

extension AnswerForm {
    /// An event `{"error": …}`.
    func failed(_ failure: HTTPFailure, after count: Int) -> [UInt8] {
        ResponseStream.event(failure.json)
    }
}

/// One answer: the versions that give it are taken when the request arrives.
struct AnswerRun: Sendable {
    let id: AnswerID
    /// Seconds since 1970.
    let created: Int
    private let ask: AnswerRequest
    private let api: InferenceAPI
    private let versions: AnswerService.InService
    private let context: ServingContext

    init(ask: AnswerRequest, in api: InferenceAPI, _ context: ServingContext) {
        self.ask = ask
        self.api = api
        versions = api.service.current
        self.context = context
        id = api.service.newAnswerID()
        created = api.answers.now().milliseconds / 1000
    }

    /// The headers that name the versions.
    var headers: HTTPFields {
        var headers = ServedVersions(versions, in: api.service).headers
        if let name = ServedVersions.answerHeader { headers[name] = id.description }
        return headers
    }

    /// Writes the answer, and keeps its record if that is possible.
    ///
    /// - Parameter part: Receives each part of the text.
    func finish(_ part: (String) -> Void) throws -> AnswerRecord {
        let record = try api.measures.answer {
            () throws(InferenceError) in
            try api.service.answer(
                ask, as: id, from: versions, by: context.deadline, found: api.measures.found,
                part: part)
        }
        do throws(StorageError) { try api.answers.keep(record, id) } catch {
            // The answer is paid for, and a stream has delivered it: a full disk does not take it back.
            api.measures.lost.add()
            context.logger.error(
                "an answer could not be kept",
                metadata: [
                    "answer": .string(record.id),
                    "reason": .string(Secrets.redacted(error.message)),
                ])
        }
        if api.logsQuestions {
            context.logger.notice(
                "answered",
                metadata: [
                    "answer": .string(record.id), "question": .string(record.question),
                    "text": .string(record.answer),
                ])
        }
        return record
    }
}

// MARK: Retrieval

extension InferenceAPI {
    /// The number of texts that are embedded before a look at the deadline.
    private static let textsAtOnce = 128

    @Sendable
    private func embeddings(
        _ request: Request, _ context: ServingContext
    ) async throws -> Response {
        let asked = try EmbeddingRequest(
            try await request.json(context, roundsNumbers: true))
        try checkModel(asked.model)
        let versions = service.current
        let answering = versions.opened.answering
        try asked.check(dimension: answering.versions.space.dimension)
        let deadline = context.deadline
        let vectors = try await context.run(on: retrievalPool) {
            var vectors: [[Float]] = []
            for start in stride(from: 0, to: asked.texts.count, by: Self.textsAtOnce) {
                guard !deadline.hasEnded else { throw WorkPool.Refusal.ended }
                let texts = asked.texts[start..<min(start + Self.textsAtOnce, asked.texts.count)]
                vectors += try answering.embed(Array(texts), as: asked.role)
            }
            return vectors
        }
        return Response.json(
            asked.body(vectors, model: servedName),
            headers: ServedVersions(versions, in: service).headers)
    }

    @Sendable
    private func search(_ request: Request, _ context: ServingContext) async throws -> Response {
        let id = try context.pathParameter("id")
        guard id.utf8.elementsEqual(servedName.utf8) else {
            throw HTTPFailure(
                .notFound,
                "the vector store '\(id)' does not exist: this server serves '\(servedName)'",
                code: "not_found")
        }
        let asked = try SearchRequest(
            try await request.json(context, roundsNumbers: true))
        let versions = service.current
        let names = ServedVersions(versions, in: service)
        if logsQuestions {
            for query in asked.queries {
                context.logger.notice("searched", metadata: ["question": .string(query)])
            }
        }
        let deadline = context.deadline
        let results = try await context.run(on: retrievalPool) {
            let found = try asked.queries.map { query in
                let start = ContinuousClock.now
                let retrieval = try service.retrieve(
                    query, count: asked.count, where: asked.condition, from: versions,
                    isReranked: !asked.isUnranked, by: deadline)
                measures.found(in: .now - start)
                return retrieval
            }
            return asked.body(asked.results(found), versions: names.json)
        }
        return Response.json(results, headers: names.headers)
    }
}

// MARK: Answers given before, and feedback

extension InferenceAPI {
    @Sendable
    private func answer(_ request: Request, _ context: ServingContext) async throws -> Response {
        let id = try answerID(context)
        guard let bytes = try await context.run(on: retrievalPool, { try answers.record(id) })
        else { throw answers.absent(id) }
        return Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    @Sendable
    private func feedback(_ request: Request, _ context: ServingContext) async throws -> Response {
        let id = try answerID(context)
        let given = try FeedbackRequest(try await request.json(context), on: id)
        let stored = try await take(given, on: id, from: context.token, context)
        return Response.json(
            ["id": .string(stored.id), "object": "feedback", "answer": .string(id.description)])
    }

    /// Stores feedback, and counts it.
    func take(
        _ given: FeedbackRequest, on id: AnswerID, from token: String?, _ context: ServingContext
    ) async throws -> Feedback {
        let stored: Feedback
        do {
            stored = try await context.run(on: retrievalPool) {
                try answers.add(given, on: id, from: token)
            }
        } catch let error as StorageError {
            // The message names files of the server, which is for its log only.
            context.logger.error(
                "feedback could not be stored",
                metadata: [
                    "answer": .string(id.description),
                    "reason": .string(Secrets.redacted(error.message)),
                ])
            throw HTTPFailure(
                .serviceUnavailable,
                "the feedback could not be stored; the log of the server says why",
                code: "unavailable", retryAfter: 5)
        }
        measures.feedback.add(1, given.rating?.rawValue ?? "none")
        return stored
    }

    private func answerID(_ context: ServingContext) throws -> AnswerID {
        let text = try context.pathParameter("id")
        // Clients know an answer by the name of its completion or response, too.
        let name = ["chatcmpl-", "resp_"].first { text.hasPrefix($0) }
            .map { String(text.dropFirst($0.count)) }
        guard let id = AnswerID(name ?? text) else {
            throw HTTPFailure(
                .notFound, "'\(text)' is not the id of an answer: ans- and 32 hexadecimal digits",
                code: "not_found")
        }
        return id
    }
}
