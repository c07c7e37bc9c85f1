internal import Objects
internal import Refs
internal import Storage

/// Finds versions that are gone although no collection was allowed to remove them.
///
/// A collection records its retention rules in its entry. Every missing past value of a ref must have been outside the
/// rules of some collection. Merges of packs record none, so they must lose nothing.
struct RetentionVerifier {
    let log: Log
    /// The state after the last sound entry.
    let tip: State

    private struct Collection {
        let number: Int
        let time: Int
    }

    /// A past value of a ref, and the earliest time at which it may have been set.
    private struct Value {
        let number: Int
        let target: ObjectID?
        let time: Int
    }

    /// Lists the versions that no collection was allowed to remove: O(entries), plus O(values) for each set of rules
    /// that collections had.
    ///
    /// - Parameter gone: The snapshots that are missing or incomplete.
    func findings(about gone: Set<ObjectID>) -> [Finding] {
        if gone.isEmpty { return [] }
        var values: [RefName: [Value]] = [:]
        var collections: [RetentionRules: [Collection]] = [:]
        var entries = log.entries()
        for number in 0...tip.number {
            // An unreadable entry is a finding already, and may be any collection.
            guard let entry = try? entries.entry(number) else { return [] }
            // Where clocks disagree, the earlier time counts, so that only versions that were certainly too young are
            // reported.
            let time = entry.time.milliseconds - (entry.skew ?? 0)
            for change in entry.changes {
                values[change.name, default: []].append(
                    Value(number: number, target: change.new, time: time))
            }
            for case .retain(let rules) in entry.actions {
                collections[rules, default: []].append(
                    Collection(number: number, time: entry.time.milliseconds))
            }
        }
        var findings: [Finding] = []
        for (name, values) in values.sorted(by: { $0.key < $1.key }) {
            let last = Self.lastCollections(of: name, values, collections)
            for (index, value) in values.enumerated().dropLast() {
                guard let target = value.target, gone.contains(target),
                    tip.target(of: name) != target,
                    !last.contains(where: { Self.allows($0, at: index, of: values) })
                else { continue }
                // Removals are not values, and the last value of a removed ref is one move ago.
                let position =
                    values[(index + 1)...].count { $0.target != nil }
                    + (tip.target(of: name) == nil ? 1 : 0)
                findings.append(
                    Finding(
                        .lostVersion, at: .entry(value.number),
                        "\(target.short) is gone, and no collection was allowed to remove it",
                        affects: ["\(name)@{\(position)}"]))
            }
        }
        return findings
    }

    /// A collection and its retention of one ref.
    private struct Removal {
        let collection: Collection
        let retention: Retention
    }

    /// The last collection of each set of rules, and the last one while the ref did not exist: earlier collections had
    /// to keep everything that these had to keep.
    private static func lastCollections(
        of name: RefName, _ values: [Value], _ collections: [RetentionRules: [Collection]]
    ) -> [Removal] {
        var removals: [Removal] = []
        for (rules, all) in collections {
            let retention = rules.retention(of: name)
            if let last = all.last {
                removals.append(Removal(collection: last, retention: retention))
            }
            var alone = retention
            alone.count = 0
            for (index, value) in values.enumerated().reversed() where value.target == nil {
                let end = index + 1 < values.count ? values[index + 1].number : Int.max
                // A writer may create the ref again while the collection runs.
                let during = all.last { $0.number > value.number && $0.number <= end }
                if let during {
                    removals.append(Removal(collection: during, retention: alone))
                    break
                }
            }
        }
        return removals
    }

    /// Whether a collection was allowed to remove a value.
    private static func allows(_ removal: Removal, at index: Int, of values: [Value]) -> Bool {
        let (collection, retention) = (removal.collection, removal.retention)
        guard values[index + 1].number < collection.number,
            values[index + 1].time <= collection.time - retention.milliseconds
        else { return false }
        let newer = index + retention.count
        return newer < values.count && values[newer].number < collection.number
    }
}
