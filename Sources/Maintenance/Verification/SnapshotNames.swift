internal import Objects
internal import Refs
internal import Storage

/// By which refs a person knows a snapshot: all that point at it, else the newest value of each ref that it once was.
struct SnapshotNames {
    private var names: [ObjectID: [String]] = [:]

    /// Reads the whole log, as far as it can be read.
    init(log: Log, state: State) {
        for (name, ref) in state.refs.sorted(by: { $0.key < $1.key }) {
            names[ref.target, default: []].append(name.text)
        }
        let current = Set(names.keys)
        var positions: [RefName: Int] = [:]
        var named: [ObjectID: Set<RefName>] = [:]
        var entries = log.entries()
        for number in stride(from: state.number, through: 0, by: -1) {
            guard let entry = try? entries.entry(number) else { continue }
            for change in entry.changes {
                let position = positions[change.name, default: 0]
                positions[change.name] = position + 1
                guard let target = change.new, !current.contains(target) else { continue }
                guard named[target, default: []].insert(change.name).inserted else { continue }
                names[target, default: []].append("\(change.name.text)@{\(position)}")
            }
        }
    }

    /// `features/prod`, or `features/prod@{2}`; for what no ref ever pointed at, the id.
    subscript(id: ObjectID) -> [String] { names[id] ?? [id.short] }
}
