package import Objects

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
package struct RetentionRoot {
    package let snapshot: ObjectID
    package let reason: KeepingReason

    /// Whether the log promises that all of it is there.
    package var isPromised: Bool {
        if case .ref = reason { true } else { false }
    }
}

extension Log {
    /// The snapshots that refs point at, and then those that they pointed at within a retention.
    ///
    /// Reads each entry once, however many refs it moved.
    ///
    /// - Parameters:
    ///   - time: The present time.
    ///   - after: Values from this transaction on only.
    package func roots(
        in state: State, _ retention: RetentionRules, at time: Int, after: Int = -1
    ) throws(RefError) -> [RetentionRoot] {
        var roots: [RetentionRoot] = []
        for (name, ref) in state.refs.sorted(by: { $0.key < $1.key })
        where ref.transaction > after {
            roots.append(RetentionRoot(snapshot: ref.target, reason: .ref(name)))
        }
        var walks: [Walk] = []
        var cursors: [HistoryCursor] = []
        for name in (Array(state.refs.keys) + Array(state.removedRefs.keys)).sorted() {
            var rule = retention.retention(of: name)
            if state.refs[name] == nil { rule.count = 0 }
            let walk = Walk(rule)
            let cursor = HistoryCursor(name, in: state)
            guard walk.goesOn(to: cursor.upcoming, after: after, at: time) else { continue }
            walks.append(walk)
            cursors.append(cursor)
        }
        try follow(cursors, in: state) { (index, version, upcoming) throws(RefError) in
            walks[index].take(version, of: cursors[index].name, at: time)
            return walks[index].goesOn(to: upcoming, after: after, at: time)
        }
        return roots + walks.flatMap(\.roots)
    }
}

/// The values of one ref from the newest backwards, as far as they are kept.
private struct Walk {
    private let retention: Retention
    private(set) var roots: [RetentionRoot] = []
    private var count = 0
    /// When the value that comes next was succeeded; the present one never was.
    private var end = Int.max

    init(_ retention: Retention) { self.retention = retention }

    /// Whether the value that comes next is kept.
    ///
    /// - Parameter upcoming: The entry that set it; nil when there is none.
    func goesOn(to upcoming: Int?, after: Int, at time: Int) -> Bool {
        guard let upcoming, upcoming > after else { return false }
        return count < retention.count || end > time - retention.milliseconds
    }

    mutating func take(_ version: RefVersion, of name: RefName, at time: Int) {
        if let target = version.target, count > 0 {
            roots.append(
                RetentionRoot(
                    snapshot: target,
                    reason: .history(name, transaction: version.entry.number)))
        }
        end = version.entry.moment(asOf: time).milliseconds
        count += 1
    }
}
