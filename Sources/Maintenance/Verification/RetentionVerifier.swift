internal import Objects
internal import Refs
internal import Storage

/// Finds versions that are gone although no collection was allowed to remove them.
///
/// A collection says in its entry what it kept. Whatever a ref pointed at and is gone must have been older than that
/// for one of them. Merges of packs say nothing and so must not lose anything.
struct RetentionVerifier {
    let log: Log
    /// The state up to which the log is sound.
    let tip: State

    /// A collection.
    private struct Collection {
        let number: Int
        let time: Int
    }

    /// The values of one ref, the oldest first, with the time at which it is certain that they had been set.
    private struct Value {
        let number: Int
        let target: ObjectID?
        let time: Int
    }

    /// What is wrong: O(entries), and O(values) times the different retentions that collections had.
    ///
    /// - Parameter gone: The snapshots of which something is not there.
    func findings(about gone: Set<ObjectID>) -> [Finding] {
        if gone.isEmpty { return [] }
        var values: [RefName: [Value]] = [:]
        var collections: [RetentionRules: [Collection]] = [:]
        var entries = log.entries()
        for number in 0...tip.number {
            // An entry that cannot be read is a finding already, and may have been any collection.
            guard let entry = try? entries.entry(number) else { return [] }
            // The earlier time where clocks disagree: it must be certain that something was too young.
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
                // Removals are no values, and of a ref that is removed the last value was one move ago.
                let position =
                    values[(index + 1)...].count { $0.target != nil }
                    + (tip.target(of: name) == nil ? 1 : 0)
                findings.append(
                    Finding(
                        problem:
                            "\(target.short) is gone, and no collection was allowed to remove it",
                        place: LogFile.place(of: value.number), affects: ["\(name)@{\(position)}"],
                        remedy:
                            "ftictl reflog shows who removed packs; ftictl verify --repair --from "
                            + "COPY brings it back"))
            }
        }
        return findings
    }

    /// A collection, with what it kept of one ref.
    private struct Removal {
        let collection: Collection
        let retention: Retention
    }

    /// Of each retention the last collection, and the last one while the ref did not exist: what these had to keep, all
    /// earlier ones had to.
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
                // The ref may be made again while the collection is decided.
                let during = all.last { $0.number > value.number && $0.number <= end }
                if let during {
                    removals.append(Removal(collection: during, retention: alone))
                    break
                }
            }
        }
        return removals
    }

    /// Whether a collection need not have kept a value.
    private static func allows(_ removal: Removal, at index: Int, of values: [Value]) -> Bool {
        let (collection, retention) = (removal.collection, removal.retention)
        guard values[index + 1].number < collection.number,
            values[index + 1].time <= collection.time - retention.milliseconds
        else { return false }
        let newer = index + retention.count
        return newer < values.count && values[newer].number < collection.number
    }
}
