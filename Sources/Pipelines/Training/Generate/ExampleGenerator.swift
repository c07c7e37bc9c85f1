internal import Artifacts
internal import Objects
internal import Refs
internal import Storage
internal import Synchronization

/// Asks a language model about every unit of the features that the repository has no reply for, and makes examples from
/// all replies.
struct ExampleGenerator: Sendable {
    let features: TrainingFeatures
    let settings: GenerationSettings
    let model: ExampleModel
    let instructions: String
    let cache: ReplyCache
    let kept: KeptReplies?
    let now: @Sendable () -> Timestamp
    let progress: @Sendable (String) -> Void

    /// The units read at a time.
    private static let group = 256

    /// Asks, commits the replies, and makes examples; none repeats one of `questions`.
    ///
    /// - Throws: `unfinished` when the limit leaves requests over; `generation` when the service fails. What it replied
    ///   until then is committed.
    func run(
        excluding questions: [String], announcing announce: (String) -> Void
    ) throws(TrainingError) -> GeneratedExamples? {
        let units = GenerationUnit.all(settings.unit, features.keys)
        var report = GenerationReport(
            model: model.model.name, unit: settings.unit, units: units.count)
        if let kept {
            try cache.commit(kept.all())
            kept.clear()
        }
        let known = try cache.replies().hashes()
        var open: [GenerationUnit] = []
        // Units with the same text share a request.
        var seen: Set<String> = []
        try forEachRequest(units) { (unit, text, request) throws(TrainingError) in
            if text.isCut { report.cut += 1 }
            if seen.insert(request.hash).inserted, !known.contains(request.hash) {
                open.append(unit)
            }
        }
        report.known = seen.count - open.count
        let limit = min(settings.requestLimit ?? .max, open.count)
        if !open.isEmpty {
            announce(
                "asking \(model.model.name): \(limit) requests, one for each \(settings.unit.rawValue); "
                    + "\(report.known) are answered already"
                    + (limit < open.count
                        ? "; the limit of \(limit) requests leaves \(open.count - limit) for later runs"
                        : ""))
        }
        try ask(Array(open.prefix(limit)), &report)
        guard limit == open.count else {
            throw .unfinished(
                asked: report.asked, left: open.count - report.asked, unit: settings.unit)
        }
        return try examples(units, &report, excluding: questions)
    }

    /// Passes each unit with its text and its request to `body`.
    private func forEachRequest(
        _ units: [GenerationUnit],
        _ body: (GenerationUnit, UnitText, GenerationRequest) throws(TrainingError) -> Void
    ) throws(TrainingError) {
        for start in stride(from: 0, to: units.count, by: Self.group) {
            let group = units[start..<min(units.count, start + Self.group)]
            let indices = group.flatMap { Array($0.rows) }
            let rows = try wrapping(
                features.index.rows(at: indices, in: features.source),
                as: TrainingError.objects)
            var at = 0
            for unit in group {
                let text = UnitText(Array(rows[at..<(at + unit.rows.count)]))
                at += unit.rows.count
                try body(
                    unit, text,
                    GenerationRequest(text, settings, instructions: instructions))
            }
        }
    }

    // MARK: Asking

    /// Sends requests, several at once, and commits the replies every now and then.
    private func ask(
        _ units: [GenerationUnit], _ report: inout GenerationReport
    ) throws(TrainingError) {
        guard !units.isEmpty else { return }
        let round = RequestRound(count: units.count, cache: cache, kept: kept)
        Threads.run(min(settings.atOnce, units.count)) {
            while let index = round.next() {
                round.finish(reply(to: units[index]))
                progress(
                    "asking \(model.model.name): \(round.counts.answered) of \(units.count) requests"
                )
            }
        }
        let failure = round.close()
        report.asked = round.counts.answered
        report.failed = round.counts.failed
        report.failure = round.counts.failure?.message
        if let failure { throw failure }
    }

    private func reply(to unit: GenerationUnit) -> Result<KeptReply, TrainingError> {
        Result { () throws(TrainingError) in
            let rows = try wrapping(
                features.index.rows(at: Array(unit.rows), in: features.source, threads: 1),
                as: TrainingError.objects)
            let request = GenerationRequest(
                UnitText(rows), settings, instructions: instructions)
            let reply = try wrapping(as: TrainingError.generation) { () throws(GenerationError) in
                try model.model.reply(
                    to: request.request, by: Deadline(after: .seconds(settings.timeout))
                ) { _ in }
            }
            return KeptReply(to: request, reply, from: model.address, at: now())
        }
    }

    // MARK: Reading

    private func examples(
        _ units: [GenerationUnit], _ report: inout GenerationReport, excluding questions: [String]
    ) throws(TrainingError) -> GeneratedExamples? {
        let replies = try cache.replies()
        guard let snapshot = replies.snapshot else { return nil }
        var filter = ExampleFilter(
            try wrapping(features.language(), as: TrainingError.objects))
        for question in questions { filter.exclude(question) }
        var all: [GeneratedExample] = []
        var used: Set<String> = []
        try forEachRequest(units) { (unit, text, request) throws(TrainingError) in
            guard used.insert(request.hash).inserted,
                let reply = try replies.reply(to: request.hash)
            else { return }
            let origin = GeneratedExample.Origin(
                model: reply.model, address: reply.address, request: request.hash)
            for (index, example) in filter.examples(in: reply.text, about: text.text).enumerated() {
                all.append(
                    GeneratedExample(
                        id: "\(request.hash.prefix(16))-\(index + 1)", question: example.question,
                        answer: example.answer, worse: example.worse, rows: Array(unit.rows),
                        origin: origin))
            }
        }
        report.examples = all.count
        report.pairs = all.count { $0.worse != nil }
        report.leftOut = filter.counts
        return GeneratedExamples(snapshot: snapshot, all: all, report: report)
    }
}

/// The requests of one run, shared by the threads that send them.
private final class RequestRound: Sendable {
    struct Counts {
        var answered = 0
        var failed = 0
        /// Why the last failed request failed.
        var failure: TrainingError?
    }

    private struct Progress {
        var next = 0
        var counts = Counts()
        /// The failures since the last reply.
        var inARow = 0
        var uncommitted: [KeptReply] = []
        var committedAt = ContinuousClock.now
        /// Why no more requests are sent.
        var stop: TrainingError?
        var isCommitted = true
    }

    private let count: Int
    private let cache: ReplyCache
    private let kept: KeptReplies?
    private let progress = Mutex(Progress())
    private let committing = Mutex(())

    /// A service that fails so often in a row is not asked again.
    private static let mostFailures = 8
    /// The replies, or the time, after which replies are committed.
    private static let batch = 64
    private static let interval = Duration.seconds(30)

    init(count: Int, cache: ReplyCache, kept: KeptReplies?) {
        self.count = count
        self.cache = cache
        self.kept = kept
    }

    var counts: Counts { progress.withLock { $0.counts } }

    /// The index of the next request; nil when there are no more, or none should be sent.
    func next() -> Int? {
        progress.withLock { progress in
            guard progress.next < count, progress.stop == nil else { return nil }
            progress.next += 1
            return progress.next - 1
        }
    }

    /// Takes the result of a request.
    func finish(_ result: Result<KeptReply, TrainingError>) {
        switch result {
        case .success(let reply):
            kept?.add(reply)
            let isDue = progress.withLock { progress in
                progress.counts.answered += 1
                progress.inARow = 0
                progress.uncommitted.append(reply)
                return progress.uncommitted.count >= Self.batch
                    || ContinuousClock.now - progress.committedAt >= Self.interval
            }
            if isDue { commit() }
        case .failure(let error):
            progress.withLock { progress in
                progress.counts.failed += 1
                progress.counts.failure = error
                progress.inARow += 1
                // What is not the service's fault fails every time.
                let isFinal =
                    if case .generation(let cause) = error { cause.fault != .io } else { true }
                if isFinal || progress.inARow >= Self.mostFailures {
                    progress.stop = progress.stop ?? error
                }
            }
        }
    }

    /// Commits the rest, and returns why the round ended early.
    func close() -> TrainingError? {
        commit()
        return progress.withLock { progress in
            if progress.isCommitted { kept?.clear() }
            return progress.stop
        }
    }

    private func commit() {
        committing.withLock { _ in
            let replies = progress.withLock { progress in
                defer {
                    progress.uncommitted = []
                    progress.committedAt = .now
                }
                return progress.uncommitted
            }
            do throws(TrainingError) { try cache.commit(replies) } catch {
                progress.withLock { progress in
                    progress.stop = error
                    progress.isCommitted = false
                }
            }
        }
    }
}
