import Objects
import Refs

/// Which refs point, or pointed, at a snapshot: how a person recognises it.
struct RefLabels {
    private var labels: [ObjectID: String] = [:]
    /// Values of each ref that are looked at: enough for what is still in use, and a bounded cost.
    private static let depth = 32

    /// Reads the newest values of every ref.
    init(log: Log, state: State) throws {
        for (name, ref) in state.refs.sorted(by: { $0.key < $1.key })
        where labels[ref.target] == nil {
            labels[ref.target] = name.text
        }
        for name in state.refs.keys.sorted() {
            var history = log.history(of: name, in: state)
            for (position, version) in try history.next(Self.depth).enumerated() {
                guard let target = version.target, labels[target] == nil else { continue }
                labels[target] = "\(name.text)@{\(position)}"
            }
        }
    }

    /// `features/prod`, or `features/prod@{2}`; nil for what no ref had lately.
    subscript(id: ObjectID) -> String? { labels[id] }
}
