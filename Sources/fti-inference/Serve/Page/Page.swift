import Artifacts
import HTTPTypes
import Hummingbird
import InferencePipeline
import NIOCore
import Objects
import Refs
import Serving

/// The page at `/`: people ask, read answers with their sources, open a source at its passage, see what is served, and
/// judge answers.
///
/// Everything works without the script, by links and forms. See ``PageAccess`` for who may do what.
struct Page: Sendable {
    /// What the page says of the service and lets people do.
    struct Settings: Sendable {
        /// The language model that writes answers; nil where they are quotes.
        var writer: String?
        /// The condition on the rows that answers come from.
        var condition: String?
        /// Whether answers are kept, so that they have addresses.
        var keepsAnswers = true
        /// Whether anyone may read the metrics.
        var metricsAreOpen = true
    }

    private let api: InferenceAPI
    private let access: PageAccess
    private let settings: Settings
    private let templates: PageTemplates

    /// The number of chunks on either side of a passage.
    private static let reach = 4

    init(_ api: InferenceAPI, tokens: TokenFile?, _ settings: Settings) throws {
        self.api = api
        access = PageAccess(tokens: tokens)
        self.settings = settings
        templates = try PageTemplates()
    }

    /// The paths that check tokens themselves, or need none.
    static let openPaths = Set(["/", "/sources", "/answers/*"] + PageAsset.all.map(\.path))

    /// Adds the routes.
    func add(to router: Router<ServingContext>) {
        router.get("/", use: ask)
        router.post("/", use: ask)
        router.get("answers/:id", use: answer)
        router.post("answers/:id", use: answer)
        router.post("answers/:id/feedback", use: feedback)
        router.get("sources", use: source)
        router.post("sources", use: source)
        for asset in PageAsset.all {
            router.get(RouterPath(String(asset.path.dropFirst()))) { request, _ in
                asset.response(to: request)
            }
        }
    }

    private var needsToken: Bool { access.tokens != nil }
}

// MARK: Asking

extension Page {
    /// The form; a form that was sent, or a link with a question, gets the answer.
    @Sendable
    private func ask(_ request: Request, _ context: ServingContext) async throws -> Response {
        var question = ""
        do {
            let form = try await PageForm(request, context)
            question = form["q"] ?? ""
            let isSent = request.method == .post
            if isSent { try PageAccess.refuseForeign(request) }
            let mayAnswer =
                isSent
                || (!needsToken || context.token != nil) && PageAccess.mayAsk(byLink: request)
            guard isSent || !question.isEmpty && mayAnswer else {
                return response(
                    .init(notices: engineNotices, question: question, needsToken: needsToken))
            }
            let token = try access.token(form, context)
            guard !question.isEmpty else {
                throw HTTPFailure(.badRequest, "Type a question first.", code: "invalid_value")
            }
            return try await answer(question, request, context, for: token)
        } catch {
            let asked = question
            throw FormattedFailure(error) { failure in
                let notice = PageModel.Notice(message: failure.message.sentence, isAlert: true)
                return response(
                    .init(notices: [notice], question: asked, needsToken: needsToken),
                    failure: failure)
            }
        }
    }

    /// Answers a question as a page, or as a stream of events for the script.
    private func answer(
        _ question: String, _ request: Request, _ context: ServingContext, for token: String?
    ) async throws -> Response {
        let run = AnswerRun(ask: AnswerRequest(question), in: api, context)
        if request.headers[.accept]?.contains("text/event-stream") == true {
            return try await context.stream(on: api.answerPool) { stream in
                stream.setHeaders(run.headers)
                let record = try run.finish { part in
                    // A client that left ends the deadline, which stops the generator.
                    try? stream.sendEvent(["text": .string(part)])
                }
                let path = settings.keepsAnswers ? PageLink.answer(record.id) : ""
                try stream.sendEvent([
                    "html": .string(article(record).text), "path": .string(path),
                    "title": .string(Self.title(record)),
                ])
            }
        }
        let client = token ?? context.client
        return try await api.answerPool.run(by: context.deadline, for: client) {
            page(try run.finish { _ in }, headers: run.headers)
        }
    }

    /// The page of an answer.
    private func page(_ record: AnswerRecord, headers: HTTPFields = [:]) -> Response {
        response(
            .init(article: article(record), needsToken: needsToken), title: Self.title(record),
            headers: headers)
    }

    private func article(_ record: AnswerRecord) -> HTML {
        templates.render(
            .answer,
            PageModel.Answer(
                record, isKept: settings.keepsAnswers, isOpen: !needsToken,
                takesFeedback: api.answers.feedback != nil))
    }

    private static func title(_ record: AnswerRecord) -> String {
        record.question.shortened(to: 80)
    }

    /// Says that answers fail, if they do.
    private var engineNotices: [PageModel.Notice] {
        guard case .failed(let error) = api.service.current.opened.engineCheck else { return [] }
        return [
            .init(
                headline: "Answers fail at the moment",
                message: Secrets.redacted(error.publicMessage).sentence)
        ]
    }
}

// MARK: Answers given before

extension Page {
    @Sendable
    private func answer(_ request: Request, _ context: ServingContext) async throws -> Response {
        try await locking("An answer", request, context) { _, _ in
            let id = try Self.answerID(context)
            return try await context.run(on: api.retrievalPool) {
                guard let record = try api.answers.answer(id) else { throw api.answers.absent(id) }
                return page(record)
            }
        }
    }

    @Sendable
    private func feedback(_ request: Request, _ context: ServingContext) async throws -> Response {
        do {
            let form = try await PageForm(request, context)
            try PageAccess.refuseForeign(request)
            let token = try access.token(form, context)
            let id = try Self.answerID(context)
            let given = try FeedbackRequest(try Self.feedback(form), on: id)
            _ = try await api.take(given, on: id, from: token, context)
            var notice = PageModel.Notice(
                headline: "Thank you", message: "Your feedback is stored.", isThanks: true)
            if settings.keepsAnswers {
                notice.link = PageLink.answer(id.description)
                notice.linkText = "Back to the answer"
            }
            return response(.init(notices: [notice], needsToken: needsToken), title: "Feedback")
        } catch {
            throw FormattedFailure(error) { response($0) }
        }
    }

    /// The fields of the form in the form of the API.
    private static func feedback(_ form: PageForm) throws -> JSON {
        var object = JSONObject()
        for name in ["rating", "better", "comment"] {
            object[name] = form[name].map { .string($0) } ?? .null
        }
        if let encoded = form["passage"] {
            guard let key = PercentEncoding.decoded(encoded) else {
                throw HTTPFailure(.badRequest, "The passage is malformed.", param: "passage")
            }
            object["passage"] = .string(key)
        }
        if let answer = form["answer"] {
            object["answer"] = try JSON(parsing: Array(answer.utf8).span)
        }
        return .object(object)
    }

    private static func answerID(_ context: ServingContext) throws -> AnswerID {
        guard let id = AnswerID(try context.pathParameter("id")) else {
            throw HTTPFailure(.notFound, "There is no such answer.", code: "not_found")
        }
        return id
    }
}

// MARK: Sources

extension Page {
    @Sendable
    private func source(_ request: Request, _ context: ServingContext) async throws -> Response {
        try await locking("A passage", request, context) { form, versions in
            guard let key = form["key"] else {
                throw HTTPFailure(.badRequest, "The address names no passage.", param: "key")
            }
            let id = form["answer"].flatMap { AnswerID($0) }
            let features = form["features"]
            return try await context.run(on: api.retrievalPool) {
                let kept = try id.flatMap { id throws in try api.answers.answer(id) }?.passages
                    .first {
                        $0.key.utf8.elementsEqual(key.utf8)
                    }
                let found = try versions.opened.answering.context(of: key, reach: Self.reach)
                guard let found else {
                    guard let kept, let id else {
                        throw HTTPFailure(
                            .notFound, "The documents that are served now have no such passage.",
                            code: "not_found")
                    }
                    return response(
                        .init(kept, answer: id, notices: [Self.changed(.removed)]))
                }
                let text = found.rows[found.place].text
                var notices: [PageModel.Notice] = []
                if let kept {
                    if !kept.text.utf8.elementsEqual(text.utf8) {
                        notices = [Self.changed(.edited)]
                    }
                } else if let features,
                    !versions.versions.roles.features.hex.hasPrefix(features.lowercased())
                {
                    notices = [Self.changed(.perhaps)]
                }
                return response(.init(found, answer: id, notices: notices))
            }
        }
    }

    /// What may have happened to a passage since an answer cited it.
    private enum Change: String {
        case edited = "The passage has changed since the answer was given. This is how it is now."
        case removed =
            "The documents no longer have this passage. This is what the answer was given."
        case perhaps =
            "The documents have changed since the answer was given, and so may have this passage."
    }

    private static func changed(_ change: Change) -> PageModel.Notice {
        PageModel.Notice(message: change.rawValue)
    }

    private func response(_ source: PageModel.Source) -> Response {
        response(
            templates.render(.source, source), title: source.title.shortened(to: 80))
    }
}

// MARK: Responses

extension Page {
    /// Answers a request for something that tokens protect: without one, with a form that asks for it.
    private func locking(
        _ heading: String, _ request: Request, _ context: ServingContext,
        _ body: (PageForm, AnswerService.InService) async throws -> Response
    ) async throws -> Response {
        var fields: [PageModel.Locked.Field] = []
        do {
            let form = try await PageForm(request, context)
            fields = ["key", "answer", "features"].compactMap { name in
                form[name].map { .init(name: name, value: HTML(exact: $0)) }
            }
            _ = try access.token(form, context)
            return try await body(form, api.service.current)
        } catch {
            let (path, known) = (request.uri.path, fields)
            throw FormattedFailure(error) { failure in
                guard failure.status == .unauthorized else { return response(failure) }
                let notice = PageModel.Notice(message: failure.message.sentence, isAlert: true)
                return response(
                    templates.render(
                        .locked,
                        PageModel.Locked(
                            notices: request.method == .post ? [notice] : [], heading: heading,
                            action: path, fields: known)),
                    title: heading, failure: failure)
            }
        }
    }

    /// A page that says what failed.
    private func response(_ failure: HTTPFailure) -> Response {
        let notice = PageModel.Notice(message: failure.message.sentence, isAlert: true)
        return response(.init(notices: [notice], needsToken: needsToken), failure: failure)
    }

    private func response(
        _ ask: PageModel.Ask, title: String = "Ask the documents", headers: HTTPFields = [:],
        failure: HTTPFailure? = nil
    ) -> Response {
        response(templates.render(.ask, ask), title: title, headers: headers, failure: failure)
    }

    private func response(
        _ body: HTML, title: String, headers: HTTPFields = [:], failure: HTTPFailure? = nil
    ) -> Response {
        let served = PageModel.Served(
            api.service, ref: api.servedName, writer: settings.writer,
            condition: settings.condition, isOpen: false, showsMetrics: settings.metricsAreOpen,
            showsAPI: !needsToken)
        let layout = PageModel.Layout(
            title: title, ref: api.servedName,
            transaction: api.service.current.versions.transaction, body: body,
            served: templates.render(.served, served))
        var fields = headers
        fields[.contentType] = "text/html; charset=utf-8"
        for (name, value) in Self.headers { fields[name] = value }
        if let failure {
            for field in failure.headers { fields[field.name] = field.value }
            if let seconds = failure.retryAfter { fields[.retryAfter] = String(seconds) }
        }
        return Response(
            status: failure?.status ?? .ok, headers: fields,
            body: .init(
                byteBuffer: ByteBuffer(string: templates.render(.layout, layout).text)))
    }

    /// The headers of every page. A policy of `no-referrer` would take the origin from its forms as well.
    private static let headers: [(HTTPField.Name, String)] =
        [
            (
                HTTPField.Name.contentSecurityPolicy,
                """
                default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'
                """
            )
        ]
        + [
            HTTPField.Name("Referrer-Policy").map { ($0, "same-origin") },
            HTTPField.Name("Cross-Origin-Resource-Policy").map { ($0, "same-origin") },
        ].compactMap { $0 }
}
