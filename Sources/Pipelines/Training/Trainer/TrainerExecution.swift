internal import Processes
internal import Storage

/// How a trainer ended.
enum TrainerEnd: Equatable {
    /// By itself, or by a signal that this run did not send.
    case itself(ProcessEnd)
    /// It ran longer than its `timeout`.
    case timeout(Duration)
    /// It wrote neither to its log nor to its metrics for longer than its `silence`.
    case silence(Duration)
    /// This process got a signal, and passed it on.
    case interrupted(Int32)
    /// It exited with 0, but what it left is no model; the text is the rest of a sentence that begins with the trainer.
    case unusable(String)

    /// Whether the trainer says that it is done.
    var isSuccess: Bool { self == .itself(.exited(0)) }

    /// What happened, as the rest of a sentence that begins with the trainer.
    var text: String {
        switch self {
        case .itself(.exited(let code)): "exited with \(code)"
        case .itself(.signalled(let signal)): "was ended by \(SystemNames.signal(signal))"
        case .itself(.missing): "could not be executed"
        case .itself(.failed(let code)): "could not be executed: \(SystemNames.error(code))"
        case .itself(.timedOut), .itself(.wroteTooMuch): "was stopped"
        case .timeout(let limit): "took longer than its timeout of \(Self.text(limit))"
        case .silence(let limit):
            "wrote neither to its log nor to FTI_METRICS for \(Self.text(limit))"
        case .interrupted(let signal): "was interrupted by \(SystemNames.signal(signal))"
        case .unusable(let reason): reason
        }
    }

    /// A word for programs that read the report.
    var word: String {
        switch self {
        case .itself(.exited): "exited"
        case .itself(.signalled): "signalled"
        case .itself: "notStarted"
        case .timeout: "timeout"
        case .silence: "silence"
        case .interrupted: "interrupted"
        case .unusable: "output"
        }
    }

    /// The exit code or the number of the signal; nil if there is none.
    var code: Int32? {
        switch self {
        case .itself(.exited(let code)), .itself(.signalled(let code)), .interrupted(let code):
            code
        case .unusable: 0
        default: nil
        }
    }

    private static func text(_ duration: Duration) -> String {
        TrainerMetrics.time(duration / .seconds(1))
    }
}

/// One execution of a trainer, from its start until nothing of it runs any more.
struct TrainerExecution {
    private(set) var log = TrainerLog()
    private(set) var metrics: TrainerMetrics
    var end = TrainerEnd.itself(.failed(0))
    private(set) var duration = Duration.zero

    /// How often the metrics are read, in milliseconds.
    private static let interval = 200

    /// Runs a trainer to its end.
    ///
    /// - Parameters:
    ///   - grace: How long a trainer that was told to end may take to do so, before it is killed.
    ///   - passesInterrupts: Whether to pass on the first signal that asks this process to end; a second one kills the
    ///     trainer.
    ///   - progress: Receives the latest progress whenever it may have changed.
    init(
        _ command: TrainerCommand, _ configuration: TrainerConfiguration, metrics path: String,
        grace: Duration, passesInterrupts: Bool, progress: (String) -> Void
    ) throws(TrainingError) {
        metrics = TrainerMetrics(at: path)
        let interrupts = passesInterrupts ? Interrupts() : nil
        let process = try command.start()
        let begin = ContinuousClock.now
        var lastSign = begin
        var lastRead = begin
        var stop: (end: TrainerEnd, moment: ContinuousClock.Instant)?
        progress("training")
        events: while true {
            let event = process.next(waiting: Self.interval, interrupts: interrupts)
            let now = ContinuousClock.now
            switch event {
            case .output(let bytes):
                log.append(bytes)
                lastSign = now
            case .interrupt(let signal):
                if stop != nil {
                    process.end()
                } else {
                    stop = (.interrupted(signal), now)
                    process.send(signal)
                }
            case .end(let itself):
                end = stop?.end ?? .itself(itself)
                break events
            case .pause: break
            }
            // A trainer that floods its log must not delay the rest.
            guard lastRead.duration(to: now) >= .milliseconds(Self.interval) else { continue }
            lastRead = now
            if metrics.update() { lastSign = now }
            progress("training: \(metrics.progress(at: now) ?? Self.elapsed(begin, now))")
            if let stop {
                if stop.moment.duration(to: now) >= grace { process.end() }
            } else if begin.duration(to: now) >= configuration.timeout {
                stop = (.timeout(configuration.timeout), now)
                process.send(SystemNames.terminate)
            } else if let silence = configuration.silence, lastSign.duration(to: now) >= silence {
                stop = (.silence(silence), now)
                process.send(SystemNames.terminate)
            }
        }
        duration = begin.duration(to: .now)
        _ = metrics.update(isAtEnd: true)
    }

    private static func elapsed(
        _ begin: ContinuousClock.Instant, _ now: ContinuousClock.Instant
    ) -> String {
        TrainerMetrics.time(begin.duration(to: now) / .seconds(1))
    }
}

extension TrainerCommand {
    /// Runs the program once with other arguments, for at most a minute; returns its output, or nil if it failed.
    func output(_ arguments: [String], limit: Int = 4 << 20) -> [UInt8]? {
        guard let process = try? start(arguments) else { return nil }
        let begin = ContinuousClock.now
        var output: [UInt8] = []
        while begin.duration(to: .now) < .seconds(60), output.count <= limit {
            switch process.next(waiting: 1000) {
            case .output(let bytes): output += bytes
            case .end(let end): return end == .exited(0) ? output : nil
            case .pause, .interrupt: continue
            }
        }
        return nil
    }
}
