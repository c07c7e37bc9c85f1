import Artifacts
import InferencePipeline
import Objects
import Refs
import Serving

/// The metrics of inference, beside those of the server.
struct InferenceMeasures: Sendable {
    /// Feedback by rating.
    let feedback: Metrics.Counter
    /// Switches to other versions.
    let switches: Metrics.Counter
    /// Answers that were given and could not be kept.
    let lost: Metrics.Counter
    private let retrievalTime: Metrics.Histogram
    private let answerTime: Metrics.Histogram
    private let tokens: Metrics.Counter
    private let failures: Metrics.Counter
    private let removedCitations: Metrics.Counter
    private let unanswered: Metrics.Counter

    /// Registers the metrics.
    init(_ metrics: Metrics, of service: AnswerService, serving name: String, store: AnswerStore) {
        feedback = metrics.counter("fti_feedback_total", "Feedback by rating.", labels: ["rating"])
        switches = metrics.counter("fti_switches_total", "Switches to other versions.")
        lost = metrics.counter(
            "fti_answers_lost_total", "Answers that were given and could not be kept.")
        retrievalTime = metrics.histogram(
            "fti_retrieval_seconds", "Time to find the passages of one question.")
        answerTime = metrics.histogram(
            "fti_generation_seconds", "Time to answer one question, retrieval included.")
        tokens = metrics.counter(
            "fti_generation_tokens_total", "Tokens of language models.", labels: ["direction"])
        failures = metrics.counter(
            "fti_generation_errors_total", "Answers that failed.", labels: ["reason"])
        removedCitations = metrics.counter(
            "fti_citations_removed_total", "Citations of passages that were not shown.")
        unanswered = metrics.counter(
            "fti_unanswered_total", "Answers that say that nothing was found.")
        metrics.gauge(
            "fti_served_info", "The versions in service, as labels.",
            labels: ["ref", "release", "features", "ranker", "reranker", "generator"]
        ) {
            let current = service.current
            let chosen = current.versions
            let ids = [
                chosen.release, chosen.roles.features, chosen.roles.ranker,
                chosen.roles.reranker, current.generator,
            ]
            return [([name] + ids.map { $0?.hex ?? "" }, 1)]
        }
        func gauge(_ name: String, _ help: String, _ read: @escaping @Sendable () -> Double) {
            metrics.gauge(name, help) { [([], read())] }
        }
        gauge("fti_served_transaction", "The transaction of the versions in service.") {
            Double(service.current.versions.transaction)
        }
        gauge("fti_ref_lag_transactions", "Transactions that are newer than what is served.") {
            Double(service.transactionsBehind)
        }
        gauge("fti_ref_lag_seconds", "Time since newer versions were parked.") {
            service.parkedSeconds
        }
        gauge("fti_parked", "Whether newer versions are parked.") {
            service.parked == nil ? 0 : 1
        }
        gauge("fti_engine_verified", "Whether the right language model answers.") {
            service.current.opened.engineCheck.isVerified ? 1 : 0
        }
        gauge("fti_draining", "Former versions that requests still use.") {
            Double(service.drainingCount)
        }
        gauge("fti_answers_kept", "Answers in the index of those kept.") { Double(store.count) }
    }

    /// Records how long it took to find the passages of one question.
    func found(in time: Duration) { retrievalTime.observe(time) }

    /// Measures one answer.
    func answer(
        _ body: () throws(InferenceError) -> AnswerRecord
    ) throws(InferenceError) -> AnswerRecord {
        let start = ContinuousClock.now
        do throws(InferenceError) {
            let record = try body()
            answerTime.observe(ContinuousClock.now - start)
            if case .openAI = record.generator {
                let usage = Usage(of: record)
                tokens.add(usage.prompt, "in")
                tokens.add(usage.answer, "out")
            }
            if record.citations.removed > 0 { removedCitations.add(record.citations.removed) }
            if !record.isAnswered { unanswered.add() }
            return record
        } catch {
            failures.add(1, Self.reason(error))
            throw error
        }
    }

    private static func reason(_ error: InferenceError) -> String {
        switch error {
        case .generation(.service): "service"
        case .generation(.busy), .generation(.limited): "busy"
        case .generation(.spent): "budget"
        case .generation(.late), .late: "late"
        case .generation(.cancelled): "cancelled"
        case .engine: "engine"
        default: "retrieval"
        }
    }
}

extension AnswerService {
    /// The seconds since newer versions were parked; 0 when none are.
    fileprivate var parkedSeconds: Double {
        guard let parked else { return 0 }
        return max(0, Double(Writer.systemClock().milliseconds - parked.since.milliseconds) / 1000)
    }
}
