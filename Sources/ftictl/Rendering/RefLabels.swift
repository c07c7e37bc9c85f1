import Objects
import Refs

/// Which refs point, or pointed, at a snapshot: how a person recognises it.
struct RefLabels {
    private var labels: [ObjectID: String] = [:]
    /// Values of each ref that are looked at: enough for what is still in use.
    private static let depth = 32
    /// Values that are looked at in all, so that the cost is bounded however many refs there are.
    private static let budget = 1024

    /// Reads the newest values of every ref.
    init(log: Log, state: State) throws {
        for (name, ref) in state.refs.sorted(by: { $0.key < $1.key })
        where labels[ref.target] == nil {
            labels[ref.target] = name.text
        }
        let depth = min(Self.depth, Self.budget / max(1, state.refs.count))
        guard depth > 1 else { return }
        let names = state.refs.keys.sorted()
        let targets = try log.newestTargets(of: names, count: depth, in: state)
        for (name, targets) in zip(names, targets) {
            for (position, target) in targets.enumerated() {
                guard let target, labels[target] == nil else { continue }
                labels[target] = "\(name.text)@{\(position)}"
            }
        }
    }

    /// `features/prod`, or `features/prod@{2}`; nil for what no ref had lately.
    subscript(id: ObjectID) -> String? { labels[id] }
}

/// The labels of a state, read from the log when the first one is asked for: most histories need none.
final class LazyRefLabels {
    private let log: Log
    private let state: State
    private lazy var labels = try? RefLabels(log: log, state: state)

    init(log: Log, state: State) {
        self.log = log
        self.state = state
    }

    /// As ``RefLabels``; nil as well when the log cannot be read, which whoever shows it finds out.
    subscript(id: ObjectID) -> String? { labels?[id] }
}
