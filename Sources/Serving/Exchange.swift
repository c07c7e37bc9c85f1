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
        var isWritten = false
        /// What the request takes a place in until its response is written.
        var budget: RequestBudget?
        var isFinished = false
        var actions: [@Sendable () -> Void] = []
    }

    let deadline: Deadline
    let started = ContinuousClock.now
    private let state: Mutex<State>
    private let onFinish: @Sendable (Record, Ending?, Duration) -> Void

    /// Begins an exchange.
    ///
    /// - Parameter onFinish: Called once the response has left, or never will.
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

    /// Whether the whole response was handed over to be sent.
    var isWritten: Bool { state.withLock { $0.isWritten } }

    /// Takes a place among the requests that are handled at once, until the response is written.
    func takePlace(in budget: RequestBudget) throws(HTTPFailure) {
        guard budget.takeRequest() else { throw RequestBudget.full }
        let isLate = state.withLock { state in
            guard !state.isWritten, state.budget == nil else { return true }
            state.budget = budget
            return false
        }
        if isLate { budget.releaseRequest() }
    }

    /// The whole response was handed over to be sent.
    func written() {
        let budget = state.withLock { state in
            state.isWritten = true
            return state.budget.take()
        }
        budget?.releaseRequest()
    }

    /// The response has left, or never will; reports it once.
    func finish(bytes: Int = 0) {
        written()
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
