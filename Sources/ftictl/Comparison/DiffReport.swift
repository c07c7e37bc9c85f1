import Artifacts
import FileFormats
import CommandSupport
import Objects
import Storage

/// Compares two contents and prints how they differ.
struct DiffReport {
    let objects: PackStore
    let context: CommandContext
    let detail: Detail
    private(set) var hasDifferences = false
    private let view: ChangeView

    /// The most bytes that two texts may have together to be compared line by line: nobody reads longer diffs.
    private static let textLimit = 1 << 20

    /// How much of the differences is shown.
    enum Detail {
        /// Counts only.
        case counts
        /// A line per document or file, too.
        case places
        /// Each change, and what changed inside it, too.
        case changes
    }

    init(objects: PackStore, context: CommandContext, detail: Detail) {
        self.objects = objects
        self.context = context
        self.detail = detail
        view = ChangeView(style: context.output.style, width: context.output.terminal.width)
    }

    private var output: Output { context.output }

    private var listsChanges: Bool { detail == .changes }

    // MARK: Tables

    mutating func compare(
        _ before: Table, _ after: Table, metadata: [MetadataChange]
    ) throws {
        let moves = try RowMoves(from: before, to: after, in: objects)
        let counts = ChangeCounts(
            added: moves.counts.added, removed: moves.counts.removed,
            changed: moves.counts.changed, moved: moves.counts.moved,
            unchanged: moves.counts.unchanged)
        hasDifferences = !metadata.isEmpty || before != after
        let documents =
            detail == .places
            ? try DocumentChanges(from: before, to: after, moves: moves, in: objects) : nil
        if output.isJSON {
            try emitSummary(
                "rows", counts, metadata, places: documents?.all.map(\.json) ?? [])
        } else {
            try show(metadata)
            for line in documents.map(view.lines) ?? [] { try output.line(line) }
        }
        if listsChanges {
            var diff = try RowDiff(from: before, to: after, moves: moves, in: objects)
            while let change = try diff.next() {
                try output.result(change.json, lines: view.lines(change))
            }
        }
        if !output.isJSON { try output.line(view.summary(counts, "rows")) }
    }

    mutating func compare(row before: TableRow, _ after: TableRow) throws {
        hasDifferences = before != after
        let count = hasDifferences ? 1 : 0
        if output.isJSON {
            try emitSummary(
                "rows", ChangeCounts(changed: count, moved: 0, unchanged: 1 - count))
        }
        guard hasDifferences, listsChanges else { return }
        let change = RowChange.changed(from: before, to: after)
        try output.result(change.json, lines: view.lines(change))
    }

    // MARK: Trees

    mutating func compare(
        tree before: ObjectID, _ after: ObjectID, metadata: [MetadataChange]
    ) throws {
        let diff = try TreeDiff.counts(from: before, to: after, in: objects)
        hasDifferences = diff.total > 0 || !metadata.isEmpty
        var census = TreeCensus(in: objects)
        let files = try census.count(before).files
        let counts = ChangeCounts(
            added: diff.added, removed: diff.removed, changed: diff.changed,
            unchanged: max(0, files - diff.removed - diff.changed))
        let changes = try changes(from: before, to: after, count: diff.total)
        if output.isJSON {
            try emitSummary("files", counts, metadata, places: changes.map(\.json))
        } else {
            try show(metadata)
        }
        switch detail {
        case .changes: for change in changes { try show(change) }
        case .places where !output.isJSON:
            for change in changes { try output.line(line(change)) }
        case .places, .counts: break
        }
        if !output.isJSON { try output.line(view.summary(counts, "files")) }
    }

    /// The files that differ; empty if the detail does not call for them or, with a note, if they are too many for
    /// `--stat`.
    private func changes(
        from before: ObjectID, to after: ObjectID, count: Int
    ) throws -> [TreeChange] {
        guard detail != .counts else { return [] }
        guard count <= TreeWalk.entryLimit else {
            let message =
                "too many differences to list: \(Quantity.count(count)); the limit is "
                + Quantity.count(TreeWalk.entryLimit)
            guard detail == .changes else {
                try output.note(message)
                return []
            }
            throw CommandError(.usage, message, remedy: "ftictl diff A B --stat counts them")
        }
        var changes: [TreeChange] = []
        var diff = try TreeDiff(from: before, to: after, in: objects)
        while let change = try diff.next() { changes.append(change) }
        return changes
    }

    private func line(_ change: TreeChange) -> String {
        view.head(change.word, change.path.description, note: change.note)
    }

    private func show(_ change: TreeChange) throws {
        let path = change.path.description
        try output.result(change.json, line(change))
        guard let before = change.before, let after = change.after else { return }
        try showInside(path, before, after)
    }

    mutating func compare(file before: TreeEntry, _ after: TreeEntry) throws {
        hasDifferences = before.id != after.id || before.mode != after.mode
        let path = after.name.description
        if output.isJSON {
            let count = hasDifferences ? 1 : 0
            try emitSummary("files", ChangeCounts(changed: count, unchanged: 1 - count))
        }
        guard hasDifferences, listsChanges || !output.isJSON else { return }
        if !output.isJSON {
            try output.line(
                view.head(
                    "changed", path,
                    note: "\(Quantity.bytes(before.size)) -> \(Quantity.bytes(after.size))"))
        }
        if listsChanges { try showInside(path, before, after) }
    }

    // MARK: Files

    /// Shows what changed inside a file: its tensors or its lines.
    private func showInside(_ path: String, _ before: TreeEntry, _ after: TreeEntry) throws {
        guard before.id != after.id, before.mode != .directory, after.mode != .directory else {
            return
        }
        if let format = WeightsSummary.format(of: after.name) {
            return try showTensors(path, before.id, after.id, format)
        }
        guard !output.isJSON, before.size + after.size <= Self.textLimit,
            let old = try text(before.id), let new = try text(after.id)
        else { return }
        let (left, right) = Self.laidOut(old, new)
        for line in LineDiff(from: left, to: right).lines(style: output.style) {
            try output.line("    " + line)
        }
    }

    /// Spreads two single-line JSON texts over several lines, so that a line diff shows which members changed. Leaves
    /// other texts as they are.
    private static func laidOut(_ old: String, _ new: String) -> (String, String) {
        func lines(_ text: String) -> String? {
            let parts = text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false)
            guard parts.count == 1 || parts.count == 2 && parts[1].isEmpty,
                let json = try? JSON(parsing: Array(parts[0]).span), json.isStructure
            else { return nil }
            return json.lines(width: lineWidth).map { $0 + "\n" }.joined()
        }
        guard let left = lines(old), let right = lines(new), !left.utf8.elementsEqual(right.utf8)
        else { return (old, new) }
        return (left, right)
    }

    /// The width of a line of JSON; with its indentation it fits 80 columns.
    private static let lineWidth = 72

    private func text(_ id: ObjectID) throws -> String? {
        let bytes = try objects.read(id, limit: Self.textLimit)
        return bytes.contains(0) ? nil : String(validating: bytes, as: UTF8.self)
    }

    private func showTensors(
        _ path: String, _ before: ObjectID, _ after: ObjectID, _ format: FileFormat
    ) throws {
        let left = try WeightsSummary(before, format, path: path, in: objects).content
        let right = try WeightsSummary(after, format, path: path, in: objects).content
        switch (left, right) {
        case (.success(let first), .success(let second)):
            try showMetadata(path, (before, first.metadata), (after, second.metadata))
            var diff = TensorDiff(
                before: before, first.tensors, after: after, second.tensors, in: objects)
            while let change = try diff.next() {
                context.progress.update("comparing \(change.name)")
                try output.result(change.json(path: path), view.line(change))
            }
            context.progress.finish()
            if !output.isJSON, diff.unchanged > 0 {
                try output.line(
                    "    " + Quantity.count(diff.unchanged, "tensor") + " unchanged")
            }
        case (.failure(let problem), _), (_, .failure(let problem)):
            guard !output.isJSON else { return }
            try output.line("    \(problem.reason.printable())")
        }
    }

    /// Shows the metadata in which two GGUF files differ.
    private func showMetadata(
        _ path: String, _ before: (id: ObjectID, members: [GGUF.Member]),
        _ after: (id: ObjectID, members: [GGUF.Member])
    ) throws {
        func byKey(_ members: [GGUF.Member]) -> [String: GGUF.Member] {
            Dictionary(members.map { ($0.key, $0) }) { $1 }
        }
        let (old, new) = (byKey(before.members), byKey(after.members))
        for key in Set(old.keys).union(new.keys).sorted() {
            if let left = old[key], let right = new[key],
                try left.hasValue(of: right, before.id, after.id, in: objects)
            {
                continue
            }
            let word = changeWord(old[key], new[key])
            let values = [old[key], new[key]].compactMap {
                $0?.value.description.printable().truncated(to: 60)
            }
            // Lists show only their type and length, which may be equal.
            let note =
                Set(values).count == 1 && values.count == 2
                ? "\(values[0]) -> other values" : values.joined(separator: " -> ")
            try output.result(
                [
                    "what": "metadata", "path": .string(path), "key": .string(key),
                    "change": .string(word), "before": old[key]?.value.json ?? .null,
                    "after": new[key]?.value.json ?? .null,
                ], "    " + view.head(word, key, note: note))
        }
    }

    // MARK: Summaries

    private func show(_ metadata: [MetadataChange]) throws {
        for change in metadata {
            for line in view.lines(change) { try output.line(line) }
        }
    }

    private func emitSummary(
        _ noun: String, _ counts: ChangeCounts, _ metadata: [MetadataChange] = [],
        places: [JSON] = []
    ) throws {
        var summary = counts.json
        summary["what"] = .string(noun)
        summary["metadata"] = .array(metadata.map(\.json))
        if detail == .places { summary[noun == "rows" ? "documents" : "files"] = .array(places) }
        try output.emit(summary)
    }
}

extension TreeChange {
    fileprivate var word: String { changeWord(before, after) }

    fileprivate var note: String {
        switch (before, after) {
        case (let before?, let after?):
            let sizes = "\(Quantity.bytes(before.size)) -> \(Quantity.bytes(after.size))"
            return before.mode == after.mode
                ? sizes : "\(sizes), \(before.mode.word) -> \(after.mode.word)"
        case (let entry?, nil), (nil, let entry?): return Quantity.bytes(entry.size)
        case (nil, nil): return ""
        }
    }

    fileprivate var json: JSON {
        func entry(_ entry: TreeEntry?) -> JSON {
            guard let entry else { return .null }
            return [
                "mode": .string(entry.mode.word), "size": .integer(entry.size),
                "id": .id(entry.id),
            ]
        }
        return [
            "what": "file", "key": .string(path.description), "change": .string(word),
            "before": entry(before), "after": entry(after),
        ]
    }
}
