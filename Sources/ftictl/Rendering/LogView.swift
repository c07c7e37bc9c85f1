import Conditions
import CommandSupport
import Objects
import Refs

/// Formats the values of refs for people, as blocks or as single lines.
struct LogView {
    let style: Style
    let now: Timestamp
    let labels: LazyRefLabels
    /// Whether to name the ref of each value, because several refs are shown.
    let showsName: Bool
    /// Whether to draw lines to the inputs of a value.
    let isGraph: Bool
    /// The columns of the terminal; nil for lines of any length.
    let width: Int?

    /// One line: the id, the name if wanted, a headline, a mark if it is the current value, and the age.
    func line(_ move: RefMove) -> String {
        let id = style.yellow(move.target?.short ?? "removed     ")
        let name = showsName ? style.cyan(move.name.text) : ""
        let mark = move.isCurrent ? style.green("(current)") : ""
        let age = style.dim(Quantity.age(of: move.entry.time, at: now))
        let headline = headline(move)
        return [id, name, headline, mark, age].filter { !$0.isEmpty }.joined(separator: " ")
    }

    private func headline(_ move: RefMove) -> String {
        let first = move.snapshot?.message.firstLine ?? ""
        switch move.movement {
        case .rolledBack:
            return style.magenta("rolled back to") + " " + (first.isEmpty ? move.short : first)
        case .removed: return style.red("removed")
        case .created, .advanced:
            if move.isCollected { return style.dim("collected") }
            return first.isEmpty ? move.entry.message.printable() : first
        }
    }

    /// A block of lines about one value; a rail separates it from the next one.
    func block(_ move: RefMove, isLast: Bool) -> [String] {
        let bullet = move.isCurrent ? style.green("●") : move.target == nil ? style.red("✕") : "○"
        let rail = isLast ? "  " : style.dim("│") + " "
        var head = "\(bullet) \(style.yellow(move.target?.short ?? "removed"))"
        if showsName { head += "  \(style.cyan(move.name.text))" }
        if move.isCurrent { head += "  \(style.green("current"))" }
        let age = Quantity.age(of: move.entry.time, at: now)
        head += "  \(age)"
        let place = [
            move.entry.time.minuteDescription, "transaction \(Quantity.count(move.entry.number))",
            move.entry.writer.printable() + (move.signer.map { ", signed by \($0)" } ?? ""),
        ]
        let origin = place.joined(separator: " · ")
        let used =
            2 + 12 + 2 + age.count + 2 + (showsName ? move.name.text.count + 2 : 0)
            + (move.isCurrent ? "current".count + 2 : 0)
        // On a narrow terminal, the origin gets a line of its own rather than a break inside a name.
        let fits = used + origin.displayWidth <= width ?? .max
        if fits { head += style.dim("  \(origin)") }
        return [head]
            + ((fits ? [] : [style.dim(origin)]) + body(move)).map { line in
                line.isEmpty ? (isLast ? "" : style.dim("│")) : "\(rail) \(line)"
            } + (isLast ? [] : [style.dim("│")])
    }

    private func body(_ move: RefMove) -> [String] {
        var lines: [String] = []
        if let target = move.target, move.movement == .rolledBack {
            let from = move.previous.map { " from \($0.short)" } ?? ""
            lines.append(style.magenta("rolled back to \(target.short)\(from)"))
        }
        if let decision = move.entry.override { lines.append(decision.line(style)) }
        let message = move.snapshot?.message ?? ""
        let reason = move.entry.message
        if move.movement != .rolledBack, !reason.isEmpty, !reason.utf8.elementsEqual(message.utf8) {
            lines.append(style.magenta(reason.printable()))
        }
        lines += message.split(whereSeparator: \.isNewline).map {
            style.bold(String($0).printable())
        }
        if move.isCollected { lines.append(style.dim("collected: no longer referenced")) }
        guard let snapshot = move.snapshot else { return lines }
        lines += metrics(snapshot, before: move.before)
        lines += inputs(snapshot)
        let change = move.before.flatMap {
            snapshot.kind == .release ? nil : snapshot.content.change(since: $0.content)
        }
        lines.append(
            style.dim(snapshot.summary) + (change.map { style.dim(" (\($0))") } ?? ""))
        return lines
    }

    /// A line per metric; `stage.name` joins the line of the metric `name`, if there is one.
    private func metrics(_ snapshot: Snapshot, before: Snapshot?) -> [String] {
        var columns = Columns([.left, .right, .left, .left])
        let byName = snapshot.metrics.sorted { $0.key < $1.key }
        func owner(_ name: String) -> String? {
            name.utf8.firstIndex(of: 0x2E).map { String(name[name.index(after: $0)...]) }
                .flatMap { snapshot.metrics[$0] == nil ? nil : $0 }
        }
        var stages: [String: [String]] = [:]
        for (name, value) in byName {
            guard let owner = owner(name) else { continue }
            let stage = name.utf8.dropLast(owner.utf8.count + 1)
            stages[owner, default: []].append(
                "\(String(decoding: Array(stage), as: UTF8.self)) \(Quantity.measurement(value))")
        }
        for (name, value) in byName where owner(name) == nil {
            let stages = stages[name] ?? []
            let metric = MetricLine(name: name, value: value, previous: before?.metrics[name])
            columns.append(
                metric.cells(style)
                    + [style.dim(stages.joined(separator: ", ").printable())])
        }
        return columns.lines
    }

    private func inputs(_ snapshot: Snapshot) -> [String] {
        var columns = Columns([.left, .left, .left])
        for (role, id) in snapshot.inputs.sorted(by: { $0.key < $1.key }) {
            let arrow = isGraph ? "├─ \(role)" : role
            columns.append([
                arrow.printable(), style.yellow(id.short), style.cyan(labels[id] ?? ""),
            ])
        }
        if isGraph {
            for parent in snapshot.parents {
                columns.append([
                    "├─ parent", style.yellow(parent.short), style.cyan(labels[parent] ?? ""),
                ])
            }
        }
        return columns.lines
    }
}

extension RefMove {
    /// The abbreviated id of the target.
    fileprivate var short: String { target?.short ?? "nothing" }
}

/// A move of a ref to a value, with everything that `log` shows about it.
struct RefMove {
    /// How the ref got its value.
    enum Kind: String {
        case created
        case advanced
        case rolledBack
        case removed
    }

    let name: RefName
    let entry: LogEntry
    let target: ObjectID?
    let previous: ObjectID?
    /// The snapshot at ``target``; nil if the ref was removed or the snapshot has been collected.
    let snapshot: Snapshot?
    /// The snapshot at ``previous``, for comparison.
    let before: Snapshot?
    let movement: Kind
    let isCurrent: Bool
    /// The signer of the transaction, by the name in the access policy; nil if it is unsigned.
    let signer: String?

    /// Creates a move from one change of a transaction.
    ///
    /// - Parameter older: Earlier values of the ref.
    init(
        _ change: RefChange, _ entry: LogEntry, snapshot: Snapshot?, before: Snapshot?,
        older: Set<ObjectID>, in state: State
    ) {
        name = change.name
        self.entry = entry
        target = change.new
        previous = change.old
        self.snapshot = snapshot
        self.before = before
        movement = Self.movement(from: change.old, before, to: change.new, older: older)
        signer = entry.signature.map { state.name(of: $0.key) }
        isCurrent = state.refs[change.name]?.transaction == entry.number
    }

    /// Tells a move back to an older value from one to a new value.
    ///
    /// - Parameter older: The values of the ref before ``previous``.
    static func movement(
        from previous: ObjectID?, _ before: Snapshot?, to target: ObjectID?, older: Set<ObjectID>
    ) -> Kind {
        guard let target else { return .removed }
        guard previous != nil else { return .created }
        let isAncestor = before?.parents.contains(target) ?? false
        return isAncestor || older.contains(target) ? .rolledBack : .advanced
    }

    /// Whether the value is known only from the log, because its snapshot has been collected.
    var isCollected: Bool { target != nil && snapshot == nil }

    /// The fields of `log --json`.
    var json: JSONObject {
        var object = JSONObject()
        object["ref"] = .string(name.text)
        object["id"] = .id(target)
        object["previous"] = .id(previous)
        object["transaction"] = .integer(entry.number)
        object["time"] = .string(entry.time.description)
        object["author"] = .string(entry.writer)
        object["reason"] = .string(entry.message)
        object["signer"] = signer.map { .string($0) } ?? .null
        object["override"] = entry.override.map(\.json) ?? .null
        object["movement"] = .string(movement.rawValue)
        object["current"] = .bool(isCurrent)
        object["collected"] = .bool(isCollected)
        object["created"] = .string((snapshot?.created ?? entry.time).description)
        object["message"] = .string(snapshot?.message ?? "")
        object["kind"] = snapshot.map { .string($0.kind.rawValue) } ?? .null
        object["metrics"] = .object(JSONObject(snapshot?.metrics ?? [:]) { .number($0) })
        object["params"] = .object(snapshot?.params ?? JSONObject())
        object["inputs"] = .object(JSONObject(snapshot?.inputs ?? [:]) { .id($0) })
        return object
    }
}

extension JSONObject {
    /// Creates an object from the members of a dictionary.
    init<Value>(_ members: [String: Value], _ convert: (Value) -> JSON) {
        self.init(members.map { ($0, convert($1)) })
    }
}

extension JSON {
    /// An id as JSON, or null.
    static func id(_ id: ObjectID?) -> JSON { id.map { .string($0.hex) } ?? .null }
}

/// Selects the versions that `log` shows, by time and by a condition.
struct LogSelection {
    let since: Timestamp?
    let until: Timestamp?
    var condition: Condition?

    /// The fields that a condition can use, besides metrics, params and inputs.
    static let schema = ConditionSchema([
        "id": .text, "ref": .text, "kind": .text, "author": .text, "message": .text,
        "reason": .text, "created": .time, "time": .time, "transaction": .number,
        "movement": .text, "current": .truth, "collected": .truth, "signer": .text,
        "previous": .text, "producer": .text,
    ])

    init(since: String?, until: String?, condition: Condition?, now: Timestamp) throws {
        self.since = try since.map { try Self.moment($0, option: "--since", now: now) }
        self.until = try until.map { try Self.moment($0, option: "--until", now: now) }
        self.condition = condition
    }

    private static func moment(
        _ text: String, option: String, now: Timestamp
    ) throws(CommandError) -> Timestamp {
        guard let time = RevisionTime(text), let moment = time.resolved(now: now) else {
            throw .usage(
                "\(option): \(JSON.string(String(text.prefix(80))).canonicalText) is not a time",
                remedy: "\(option) yesterday, '3 days ago', 2026-08-01 or 2026-08-01T09:30")
        }
        return moment
    }

    /// Whether a version is in the time range and meets the condition.
    func includes(_ move: RefMove) -> Bool {
        if let since, move.entry.time < since { return false }
        if let until, move.entry.time > until { return false }
        return condition?.holds(of: move.record) ?? true
    }

    /// Whether no older version can be selected: the times of a log never decrease.
    func ends(before move: RefMove) -> Bool { since.map { move.entry.time < $0 } ?? false }
}

extension RefMove {
    /// The record that a condition tests: the fields of `log --json`, and metrics by their own names.
    var record: ConditionRecord {
        var fields = json
        fields["producer"] = snapshot.map { .string($0.producer.pipeline) }
        // The message and creation time of a collected version are unknown.
        if snapshot == nil { for name in ["message", "created"] { fields[name] = nil } }
        return ConditionRecord(fields, fields["metrics"]?.object ?? JSONObject())
    }
}
