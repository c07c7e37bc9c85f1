import ArgumentParser
import CommandSupport
import Objects
import Refs
import Storage

struct RefsCommand: Command {
    static let configuration = CommandConfiguration(
        "refs", abstract: "List refs with their ids, contents and ages, and what releases bind.",
        discussion: """
            A ref whose version cannot be read is listed with the error, and refs exits with 5.
            """, examples: ["ftictl refs", "ftictl refs models/", "ftictl refs --json"])

    @Argument(
        help: "List only refs whose names begin with this.", completion: .revisions)
    var prefix: String?

    @OptionGroup var options: GlobalOptions

    static var isPaged: Bool { true }

    func run(_ context: CommandContext) throws {
        let repository = try context.open()
        let style = context.output.style
        var columns = Columns([.left, .left, .left, .left, .left])
        var bindings: [[String]] = []
        var names: [ObjectID: [RefName]] = [:]
        for (name, ref) in repository.state.refs.sorted(by: { $0.key < $1.key }) {
            names[ref.target, default: []].append(name)
        }
        var broken: [(name: RefName, reason: String)] = []
        let refs = repository.state.refs.filter { name, _ in
            prefix.map { name.text.utf8.starts(with: $0.utf8) } ?? true
        }
        for (name, ref) in refs.sorted(by: { $0.key < $1.key }) {
            var snapshot: Snapshot?
            var problem: String?
            // One broken ref must not hide the others.
            do {
                snapshot = try repository.snapshotUnlessCollected(ref.target, of: name)
            } catch let error as RefError where !error.isOutOfResources {
                problem = error.message
                broken.append((name, error.message))
            }
            if context.output.isJSON {
                var object = JSONObject()
                object["name"] = .string(name.text)
                object["id"] = .id(ref.target)
                object["kind"] = .string(name.namespace.kind.rawValue)
                object["transaction"] = .integer(ref.transaction)
                object["time"] = .string(ref.time.description)
                object["message"] = snapshot.map { .string($0.message) } ?? .null
                object["binds"] =
                    snapshot.flatMap(Self.bound).map { .object(JSONObject($0) { .id($0) }) }
                    ?? .null
                object["broken"] = problem.map { .string($0) } ?? .null
                try context.output.emit(object)
                continue
            }
            let message = problem?.printable() ?? snapshot?.message.firstLine ?? ""
            let kind =
                snapshot?.summary ?? (problem == nil ? "since moved and collected" : "broken")
            columns.append([
                style.cyan(name.text), style.yellow(ref.target.short),
                problem == nil ? kind : style.red(kind),
                style.dim(Quantity.age(of: ref.time, at: context.now)),
                message.truncated(to: 60),
            ])
            bindings.append(lines(snapshot.flatMap(Self.bound) ?? [:], names, style))
        }
        for (line, bound) in zip(columns.lines, bindings) {
            for line in [line] + bound { try context.output.line(line) }
        }
        if refs.isEmpty, !context.output.isJSON {
            try context.output.note(
                prefix.map { "no ref begins with \($0.printable())" }
                    ?? "no refs yet: ftictl put models/first PATH creates one")
        }
        guard let (name, reason) = broken.first else { return }
        let count = broken.count
        throw CommandError(
            .damaged,
            "\(count) of \(Quantity.count(repository.state.refs.count, "ref")) "
                + "\(count == 1 ? "is" : "are") broken: \(name): \(reason)",
            remedy: "ftictl verify lists all damage and what it affects")
    }

    /// The snapshots that a release binds, by role; nil for other snapshots.
    private static func bound(_ snapshot: Snapshot) -> [String: ObjectID]? {
        guard snapshot.kind == .release else { return nil }
        let roles = [
            Release.featuresRole, Release.modelRole, Release.rerankerRole, Release.generatorRole,
        ]
        return snapshot.inputs.filter { roles.contains($0.key) }
    }

    /// A line per bound snapshot, with the refs that point at it now.
    private func lines(
        _ bound: [String: ObjectID], _ names: [ObjectID: [RefName]], _ style: Style
    ) -> [String] {
        var columns = Columns([.left, .left, .left])
        for (role, id) in bound.sorted(by: { $0.key < $1.key }) {
            columns.append([
                "  binds \(role)", style.yellow(id.short),
                style.cyan((names[id] ?? []).map(\.text).joined(separator: ", ")),
            ])
        }
        return columns.lines
    }
}
