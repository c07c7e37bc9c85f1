import FileFormats
import ArgumentParser
import CommandSupport
import Objects
import Refs

struct ShowCommand: Command {
    static let configuration = CommandConfiguration(
        "show", abstract: "Describe a snapshot, a file or a row.",
        discussion: """
            For weights (.safetensors and .gguf), show counts the tensors. For a single file of \
            weights, it lists them, and the metadata of a GGUF file.
            """,
        examples: [
            "ftictl show models/current", "ftictl show models/current:model.safetensors",
        ])

    @Argument(
        help: ArgumentHelp("What to describe.", valueName: "rev[:path]"), completion: .revisions)
    var revision: String

    @OptionGroup var options: GlobalOptions

    static var isPaged: Bool { true }
    /// The columns of a metadata value: prompt templates can have thousands of characters.
    private static let valueWidth = 60

    func run(_ context: CommandContext) throws {
        let repository = try context.open()
        let resolution = try repository.resolve(revision)
        switch resolution.target {
        case .snapshot(let id): try show(id, in: repository, context)
        case .entry(let entry): try show(entry, in: repository, context)
        case .object(let id):
            let size = try repository.objects.size(of: id) ?? 0
            try context.output.result(
                ["id": .id(id), "size": .integer(size)],
                lines: ["object \(id.hex)", "  size  \(Quantity.count(size, "byte"))"])
        case .row(let key):
            let row = try repository.row(key, of: resolution)
            try show(row, context)
        }
    }

    private func show(
        _ id: ObjectID, in repository: OpenRepository, _ context: CommandContext
    ) throws {
        let snapshot = try repository.snapshot(id)
        let weights = try WeightsSummary.all(of: snapshot, in: repository.objects)
        let pickles = try PickledFile.all(of: snapshot, in: repository.objects)
        if context.output.isJSON {
            var object = try JSON(canonical: snapshot.encoded).object ?? JSONObject()
            object["id"] = .id(id)
            object["weights"] = .array(weights.map(\.json))
            object["pickles"] = .array(pickles.map(\.json))
            for name in ["cursor", "index", "space"] where object[name] == nil {
                object[name] = .null
            }
            return try context.output.emit(object)
        }
        let labels = try RefLabels.read(in: repository)
        let view = SnapshotView(
            style: context.output.style, now: context.now, labels: labels,
            signer: try signer(of: id, in: repository))
        // A malformed release is shown as far as it goes.
        let release =
            snapshot.kind == .release
            ? try? Release(of: snapshot, in: try repository.objects) : nil
        let files = release?.roles.files ?? []
        for line in view.lines(id, snapshot, files: files, weights: weights, pickles: pickles) {
            try context.output.line(line)
        }
    }

    /// The signer of the oldest transaction through which a ref still points at a snapshot; nil if that transaction is
    /// unsigned, if no ref points at the snapshot, or without an access policy.
    private func signer(of id: ObjectID, in repository: OpenRepository) throws -> String? {
        let state = repository.state
        let moves = state.refs.values.filter { $0.target == id }.map(\.transaction)
        guard state.accessPolicy != nil, let first = moves.min() else { return nil }
        return try repository.repository.log.entry(first).signature.map { state.name(of: $0.key) }
    }

    private func show(
        _ entry: TreeEntry, in repository: OpenRepository, _ context: CommandContext
    ) throws {
        let output = context.output
        let objects = try repository.objects
        let format =
            entry.mode == .directory ? nil : try FileFormat.detect(entry.id, in: objects)
        // GGUF is recognised by its content; otherwise the name decides, before the content does.
        let claimed = format == .gguf ? format : WeightsSummary.format(of: entry.name) ?? format
        let weights =
            claimed == .safetensors || claimed == .gguf
            ? try claimed.map {
                try WeightsSummary(entry.id, $0, path: revision, in: objects)
            } : nil
        if output.isJSON {
            var object = JSONObject()
            object["id"] = .id(entry.id)
            object["mode"] = .string(entry.mode.word)
            object["size"] = .integer(entry.size)
            object["weights"] = weights?.json ?? .null
            object["format"] = format.map { .string($0.rawValue) } ?? .null
            // Unreadable weights have neither tensors nor metadata.
            let content = weights.flatMap { try? $0.content.get() }
            let tensors = content?.tensors.map { tensor in
                var json = tensor.json.object ?? JSONObject()
                json["name"] = .string(tensor.name)
                return JSON.object(json)
            }
            object["tensors"] = tensors.map { .array($0) } ?? .null
            let members: [JSON]? = content?.metadata.map { member in
                ["key": .string(member.key), "value": member.value.json]
            }
            object["metadata"] = members.map { .array($0) } ?? .null
            return try output.emit(object)
        }
        try output.line("\(entry.mode.word) \(output.style.yellow(entry.id.hex))")
        var fields = Columns([.left, .left])
        fields.append(["  size", Quantity.count(entry.size, "byte")])
        if let format {
            let danger = format.runsCode ? ": loading it runs code" : ""
            fields.append(["  format", format.rawValue + danger])
        }
        if let weights { fields.append(["  weights", weights.description]) }
        for line in fields.lines { try output.line(line) }
        guard let weights else { return }
        var members = Columns([.left, .left])
        for member in weights.metadata {
            members.append([
                "    " + member.key.printable(),
                member.value.description.printable().truncated(to: Self.valueWidth),
            ])
        }
        for line in members.lines { try output.line(line) }
        var columns = Columns([.left, .left, .left])
        for tensor in weights.tensors {
            columns.append([
                "    " + tensor.name.printable(),
                output.style.magenta(tensor.dtype.printable()),
                tensor.shapeDescription,
            ])
        }
        for line in columns.lines { try output.line(line) }
    }

    private func show(_ row: TableRow, _ context: CommandContext) throws {
        let style = context.output.style
        var lines = ["row \(style.bold(row.key.printable()))"]
        for member in row.attributes {
            let value = member.value.string ?? member.value.canonicalText
            lines.append("  \(style.cyan(member.key.printable()))")
            lines += value.split(separator: "\n", omittingEmptySubsequences: false).map {
                "    \(String($0).printable())"
            }
        }
        if !row.vector.isEmpty {
            let norm = row.vector.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
            lines.append(
                "  vector of \(row.vector.count) numbers, norm \(Quantity.measurement(norm))")
        }
        try context.output.result(
            [
                "key": .string(row.key), "attributes": .object(row.attributes),
                "dimension": .integer(row.vector.count),
            ], lines: lines)
    }
}
