internal import Objects
internal import Synchronization

/// One request and its response.
final class Exchange: Sendable {
    /// Why a request ends before its response is complete.
    enum Ending: String, Sendable {
        /// The client closed the connection.
        case clientLeft
        /// The time for the request is over.
        case deadline
        /// The body came too slowly.
        case slowBody
        /// The body is malformed.
        case malformedBody
        /// The client took no bytes of the response.
        case stalled
        /// The server stops and cannot wait longer.
        case stopping
    }

    /// What the access log says.
    struct Record: Sendable {
        var id = ""
        var method = ""
        var route = "none"
        var address = ""
        var token: String?
        var status = 0
        var bytes = 0
    }

    private struct State {
        var record: Record
        var ending: Ending?
        var isFinished = false
        var actions: [@Sendable () -> Void] = []
    }

    let deadline: Deadline
    let started = ContinuousClock.now
    private let state: Mutex<State>
    private let onFinish: @Sendable (Record, Ending?, Duration) -> Void

    init(
        _ deadline: Deadline, _ record: Record,
        onFinish: @escaping @Sendable (Record, Ending?, Duration) -> Void
    ) {
        self.deadline = deadline
        state = Mutex(State(record: record))
        self.onFinish = onFinish
    }

    /// Why the request ended early; nil when it did not.
    var ending: Ending? { state.withLock { $0.ending } }

    func record(_ change: @Sendable (inout Record) -> Void) {
        state.withLock { change(&$0.record) }
    }

    /// Ends the request early: cancels its deadline and what ``onEnd(_:)`` was given. Only the first reason counts.
    func end(_ ending: Ending) {
        let actions: [@Sendable () -> Void] = state.withLock { state in
            guard state.ending == nil, !state.isFinished else { return [] }
            state.ending = ending
            defer { state.actions = [] }
            return state.actions
        }
        guard self.ending != nil else { return }
        deadline.cancel()
        for action in actions { action() }
    }

    /// Calls an action when the request ends early; at once if it has.
    func onEnd(_ action: @escaping @Sendable () -> Void) {
        let hasEnded = state.withLock { state in
            if state.ending == nil, !state.isFinished { state.actions.append(action) }
            return state.ending != nil
        }
        if hasEnded { action() }
    }

    /// The response is complete, or never will be; reports it once.
    func finish(bytes: Int = 0) {
        let report: (Record, Ending?)? = state.withLock { state in
            guard !state.isFinished else { return nil }
            state.isFinished = true
            state.actions = []
            state.record.bytes = bytes
            return (state.record, state.ending)
        }
        if let (record, ending) = report {
            onFinish(record, ending, ContinuousClock.now - started)
        }
    }
}
