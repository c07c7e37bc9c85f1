import Conditions
import ArgumentParser
import Artifacts
import CommandSupport
import ModelServices
import InferencePipeline
import Objects
import Refs

/// `fti-inference ask QUESTION`.
struct Ask: Command {
    static let configuration = CommandConfiguration(
        abstract: "Answer a question with sentences from the best chunks.",
        discussion: ArgumentHelp.discussion(
            """
            Resolves features and model in one state of the log, or takes them from a release or a lock \
            file; both must have the same embedding space. With --stdin, each line of standard input is a \
            question, or a JSON object with a question and optionally a condition under "where" and an \
            id. The command replies to each with a line of JSON, an answer or an error, and follows refs \
            that move. --where searches only the rows that satisfy a condition on their members and key.
            """,
            examples: [
                "fti-inference ask \"What size holes do I drill in brick?\"",
                "fti-inference ask \"Why is the light amber?\" --pin fti.lock --json",
                "fti-inference ask --release releases/prod --stdin < questions.txt",
                "fti-inference ask \"What is new?\" --where \"updated >= 2026-01-01\"",
            ]))

    @OptionGroup var options: GlobalOptions

    @Argument(
        help: ArgumentHelp("The question, in one argument or several.", valueName: "question"))
    var words: [String] = []

    @Flag(help: "Answer every line of standard input, with a line of JSON.")
    var stdin = false

    @Option(
        help: ArgumentHelp("Answer from the versions that this release binds.", valueName: "rev"))
    var release: String?

    @Option(help: ArgumentHelp("The features to answer from.", valueName: "rev"))
    var features: String?

    @Option(help: ArgumentHelp("The model that ranks chunks.", valueName: "rev"))
    var model: String?

    @Option(
        help: ArgumentHelp(
            "The cross-encoder that reorders the best chunks; a release names its own.",
            valueName: "rev"))
    var reranker: String?

    @Option(help: ArgumentHelp("Answer from the versions of this lock file.", valueName: "file"))
    var pin: String?

    @OptionGroup var filter: ConditionOption

    @Option(name: .customShort("k"), help: ArgumentHelp("Show N sources.", valueName: "n"))
    var count: Int?

    @Flag(
        help:
            "Preselect rows by the signs of their numbers: faster for many rows, but may miss some."
    )
    var approximate = false

    @Option(
        help: ArgumentHelp(
            "Find candidates by vector and by words (hybrid), or by one of them (vector, lexical).",
            valueName: "mode"))
    var mode: String?

    @Option(
        help: ArgumentHelp(
            "Rank the best N candidates by vector, and the best N by words.", valueName: "n"))
    var candidates: Int?

    @Option(
        help: ArgumentHelp(
            "Put at most N chunks of one document ahead of the others; 0 for no limit.",
            valueName: "n"))
    var perDocument: Int?

    @Option(help: ArgumentHelp("Let the reranker score the best N chunks.", valueName: "n"))
    var rerankCandidates = Reranking.usualCandidates

    @Flag(
        help:
            "Explain how each chunk was found and scored, and why there is an answer or not."
    )
    var explain = false

    @Option(help: ArgumentHelp("Use N threads.", valueName: "n"))
    var threads: Int = 2

    private var question: String? { words.isEmpty ? nil : words.joined(separator: " ") }

    func validate() throws {
        guard stdin != (question != nil) else {
            throw ValidationError(
                stdin ? "--stdin takes no question" : "a question is missing")
        }
        guard question.map(Self.hasWords) ?? true else {
            throw ValidationError("the question has no words")
        }
        guard count.map({ 1...1000 ~= $0 }) ?? true else {
            throw ValidationError("-k must be from 1 to 1000")
        }
        guard mode.map({ RetrievalSettings.Mode(rawValue: $0) != nil }) ?? true else {
            throw ValidationError("--mode must be hybrid, vector or lexical")
        }
        guard candidates.map({ RetrievalSettings.candidateRange.contains($0) }) ?? true else {
            throw ValidationError("--candidates must be from 1 to 100000")
        }
        guard Reranking.candidateRange.contains(rerankCandidates) else {
            throw ValidationError(
                "--rerank-candidates must be from 1 to \(Reranking.candidateRange.upperBound)")
        }
        guard perDocument.map({ $0 >= 0 }) ?? true else {
            throw ValidationError("--per-document must not be negative")
        }
        guard 1...1024 ~= threads else {
            throw ValidationError("--threads must be from 1 to 1024")
        }
        guard
            [pin != nil, release != nil, features != nil || model != nil].count(where: { $0 }) < 2
        else {
            throw ValidationError(
                "use only one of --pin, --release, and --features with --model")
        }
    }

    private static func hasWords(_ text: String) -> Bool {
        text.contains { $0.isLetter || $0.isNumber }
    }

    func run(_ context: CommandContext) throws {
        let condition = try filter.condition
        let selection: Selection =
            if let pin {
                try .pinned(by: pin)
            } else if let release {
                .release(release)
            } else {
                .revisions(
                    features: features ?? "features/prod", model: model ?? "models/current")
            }
        let path = try context.repositoryLocation()
        let verified = try context.verifiedLeaves(of: path)
        // Saves the record even after an error, so that the next command need not verify the same leaves.
        defer { verified.save() }
        let repository = try context.repository(at: path)
        var options = try LoadingOptions(of: path, verified, context)
        options.condition = condition
        options.retrieval = overrides
        options.reranking.model = reranker
        options.reranking.candidates = rerankCandidates
        options.isApproximate = approximate
        (options.loadingThreads, options.threads) = (threads, threads)
        guard let question else {
            return try serve(selection, options, in: repository, verified, context)
        }
        let reply = try QuestionAnswering.reply(
            to: question, count: count, selection, in: repository, now: context.now,
            loading: options)
        if context.output.isJSON {
            try context.output.emit(json(reply))
        } else {
            for line in reply.lines { try context.output.line(line) }
            guard explain else { return }
            try context.output.line("")
            for line in reply.explanationLines { try context.output.line(line) }
        }
    }

    private var overrides: RetrievalOverrides {
        var overrides = RetrievalOverrides()
        overrides.mode = mode.flatMap { RetrievalSettings.Mode(rawValue: $0) }
        overrides.candidates = candidates
        overrides.perDocument = perDocument
        return overrides
    }

    private func json(_ reply: Reply) -> JSONObject {
        var object = reply.json
        if explain { object["explanation"] = .object(reply.explanation) }
        return object
    }

    /// Answers each line of standard input.
    private func serve(
        _ selection: Selection, _ options: LoadingOptions, in repository: Repository,
        _ verified: VerifiedLeavesFile, _ context: CommandContext
    ) throws {
        let service = try AnswerService(
            .init(selection, loading: options, now: Writer.systemClock), in: repository)
        verified.save()
        defer { service.stop() }
        let output = context.output
        var lines = InputLines(limit: AskedLine.byteLimit)
        while let line = lines.next() {
            let asked = AskedLine(line)
            switch service.follow() {
            case nil, .checked: break
            case .switched:
                verified.save()
                let roles = service.current.versions.roles
                try output.note(
                    "switched to features \(roles.features.short), "
                        + "model \(roles.ranker?.short ?? "none")"
                        + (roles.reranker.map { ", reranker \($0.short)" } ?? ""))
            case .parked(let parked):
                try output.note(
                    "new versions rejected; still answering from the previous ones: \(parked.error.message)"
                )
            }
            var reply: JSONObject
            do throws(InferenceError) {
                let question = try asked.question.get()
                guard Self.hasWords(question) else { throw .question }
                let condition = try asked.condition?.get()
                reply = json(try service.quote(question, count: count, where: condition))
            } catch {
                reply = JSONObject()
                reply["question"] = (try? asked.question.get()).map { .string($0) } ?? .null
                reply["error"] = .string(error.fault.word)
                reply["message"] = .string(Secrets.redacted(error.message))
                reply["remedy"] = error.remedy.map { .string(Secrets.redacted($0)) } ?? .null
            }
            if let parked = service.parked {
                var object = JSONObject()
                for role in ["features", "model"] {
                    object[role] = parked.snapshots[role].map { .string($0.hex) } ?? .null
                }
                object["reranker"] = parked.snapshots["reranker"].map { .string($0.hex) }
                object["message"] = .string(Secrets.redacted(parked.error.message))
                reply["parked"] = .object(object)
            }
            try output.raw(asked.line(reply))
            try output.flush()
        }
    }
}
