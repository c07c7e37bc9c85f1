internal import Objects

/// How long what no ref points at any more is kept.
public struct Retention: Hashable, Sendable {
    /// Values that a ref had within so many milliseconds are kept.
    public var milliseconds: Int
    /// At least so many values of every ref that exists are kept, the present one included.
    public var count: Int

    /// 30 days, and twenty values: a month of daily versions can be gone back to, and a ref that moves once a
    /// quarter keeps five years.
    public static let standard = Retention(milliseconds: 30 * 86_400_000, count: 20)

    /// Makes a retention.
    public init(milliseconds: Int, count: Int) {
        self.milliseconds = milliseconds
        self.count = count
    }
}

/// Why something is kept.
public enum KeepingReason: Hashable, Sendable {
    /// A ref points there.
    case ref(RefName)
    /// A ref pointed there, from that transaction on, within the retention.
    case history(RefName, transaction: Int)
    /// A lease says that somebody needs it.
    case lease(String)

    /// How a person says it: `features/prod`, `models/current, set by transaction 12`.
    public var description: String {
        switch self {
        case .ref(let name): name.text
        case .history(let name, let transaction): "\(name.text), set by transaction \(transaction)"
        case .lease(let what): "lease of \(Quoting.quoted(what))"
        }
    }
}

/// A snapshot that is kept with all it needs.
struct Root {
    let snapshot: ObjectID
    let reason: KeepingReason

    /// Whether the log promises that all of it is there.
    var isPromised: Bool {
        if case .ref = reason { true } else { false }
    }
}

extension Log {
    /// The snapshots that refs point at, and then those that they pointed at within a retention.
    ///
    /// - Parameters:
    ///   - time: The present time.
    ///   - after: Values from this transaction on only.
    func roots(
        in state: State, _ retention: Retention, at time: Int, after: Int = -1
    ) throws(RefError) -> [Root] {
        var roots: [Root] = []
        for (name, ref) in state.refs.sorted(by: { $0.key < $1.key })
        where ref.transaction > after {
            roots.append(Root(snapshot: ref.target, reason: .ref(name)))
        }
        let cutoff = time - retention.milliseconds
        for name in (Array(state.refs.keys) + Array(state.removedRefs.keys)).sorted() {
            var history = history(of: name, in: state)
            let count = state.refs[name] == nil ? 0 : retention.count
            // When the value that comes next was succeeded; the present one never was.
            var end = Int.max
            var number = 0
            while number < count || end > cutoff {
                guard let version = try history.next(), version.entry.number > after else { break }
                if let target = version.target, number > 0 {
                    roots.append(
                        Root(
                            snapshot: target,
                            reason: .history(name, transaction: version.entry.number)))
                }
                end = version.entry.moment(asOf: time).milliseconds
                number += 1
            }
        }
        return roots
    }
}
