import CommandSupport
import Objects
import Storage

/// Compares two contents and shows the differences while they are found.
struct DiffReport {
    let objects: PackStore
    let context: CommandContext
    let listsChanges: Bool
    private(set) var hasDifferences = false
    private let view: ChangeView

    /// The largest texts whose lines are compared: more is not read by a person.
    private static let textLimit = 1 << 20

    init(objects: PackStore, context: CommandContext, listsChanges: Bool) {
        self.objects = objects
        self.context = context
        self.listsChanges = listsChanges
        view = ChangeView(style: context.output.style, width: context.output.terminal.width)
    }

    private var output: Output { context.output }

    // MARK: Tables

    mutating func compare(
        _ before: Table, _ after: Table, metadata: [MetadataChange]
    ) throws {
        let counts = try TableDiff.counts(from: before, to: after, in: objects)
        hasDifferences =
            counts.added + counts.removed + counts.changed > 0 || !metadata.isEmpty
            || before != after
        if output.isJSON {
            try emitSummary(
                "rows", added: counts.added, removed: counts.removed, changed: counts.changed,
                unchanged: counts.unchanged, metadata)
        } else {
            try show(metadata)
        }
        if listsChanges {
            var diff = try TableDiff(from: before, to: after, in: objects)
            while let change = try diff.next() {
                if output.isJSON {
                    try output.emit(change.json)
                } else {
                    for line in view.lines(change) { try output.line(line) }
                }
            }
        }
        if !output.isJSON {
            try output.line(
                view.summary(
                    added: counts.added, removed: counts.removed, changed: counts.changed,
                    unchanged: counts.unchanged, noun: "rows"))
        }
    }

    mutating func compare(row before: TableRow, _ after: TableRow) throws {
        hasDifferences = before != after
        let count = hasDifferences ? 1 : 0
        if output.isJSON {
            try emitSummary(
                "rows", added: 0, removed: 0, changed: count, unchanged: 1 - count, [])
        }
        guard hasDifferences, listsChanges else { return }
        let change = TableChange.changed(from: before, to: after)
        if output.isJSON { return try output.emit(change.json) }
        for line in view.lines(change) { try output.line(line) }
    }

    // MARK: Trees

    mutating func compare(
        tree before: ObjectID, _ after: ObjectID, metadata: [MetadataChange]
    ) throws {
        var changes: [TreeChange] = []
        var diff = try TreeDiff(from: before, to: after, in: objects)
        while let change = try diff.next() { changes.append(change) }
        hasDifferences = !changes.isEmpty || !metadata.isEmpty
        let added = changes.count { $0.before == nil }
        let removed = changes.count { $0.after == nil }
        let changed = changes.count - added - removed
        let unchanged = try files(in: before) - removed - changed
        if output.isJSON {
            try emitSummary(
                "files", added: added, removed: removed, changed: changed, unchanged: unchanged,
                metadata)
        } else {
            try show(metadata)
        }
        if listsChanges {
            for change in changes { try show(change) }
        }
        if !output.isJSON {
            try output.line(
                view.summary(
                    added: added, removed: removed, changed: changed, unchanged: unchanged,
                    noun: "files"))
        }
    }

    private func files(in tree: ObjectID) throws -> Int {
        var walk = try TreeWalk(tree, in: objects)
        var count = 0
        while let element = try walk.next() {
            if element.entry.mode != .directory { count += 1 }
        }
        return count
    }

    private func show(_ change: TreeChange) throws {
        let path = change.path.description
        if output.isJSON {
            try output.emit(change.json)
        } else {
            try output.line(view.head(change.word, path, note: change.note))
        }
        guard let before = change.before, let after = change.after else { return }
        try showInside(path, before, after)
    }

    mutating func compare(file before: TreeEntry, _ after: TreeEntry) throws {
        hasDifferences = before.id != after.id || before.mode != after.mode
        let path = after.name.description
        if output.isJSON {
            let count = hasDifferences ? 1 : 0
            try emitSummary(
                "files", added: 0, removed: 0, changed: count, unchanged: 1 - count, [])
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

    /// What changed inside a file: its tensors, or its lines.
    private func showInside(_ path: String, _ before: TreeEntry, _ after: TreeEntry) throws {
        guard before.id != after.id, before.mode != .directory, after.mode != .directory else {
            return
        }
        if WeightsSummary.isNamedSo(after.name) {
            return try showTensors(path, before.id, after.id)
        }
        guard !output.isJSON, before.size + after.size <= Self.textLimit,
            let old = try text(before.id), let new = try text(after.id)
        else { return }
        for line in LineDiff(from: old, to: new).lines(style: output.style) {
            try output.line("    " + line)
        }
    }

    private func text(_ id: ObjectID) throws -> String? {
        let bytes = try objects.read(id, limit: Self.textLimit)
        return bytes.contains(0) ? nil : String(validating: bytes, as: UTF8.self)
    }

    private func showTensors(_ path: String, _ before: ObjectID, _ after: ObjectID) throws {
        let left = try Safetensors.read(before, in: objects)
        let right = try Safetensors.read(after, in: objects)
        switch (left, right) {
        case (.success(let first), .success(let second)):
            var diff = TensorDiff(
                before: before, first, after: after, second, in: objects)
            while let change = try diff.next() {
                context.progress.update("comparing \(change.name)")
                if output.isJSON {
                    try output.emit(change.json(path: path))
                } else {
                    try output.line(view.line(change))
                }
            }
            context.progress.finish()
            if !output.isJSON, diff.unchanged > 0 {
                try output.line(
                    "    " + Quantity.count(diff.unchanged, "tensor") + " unchanged")
            }
        case (.failure(let error), _), (_, .failure(let error)):
            guard !output.isJSON else { return }
            try output.line("    \(error.description.printable())")
        }
    }

    // MARK: Summaries

    private func show(_ metadata: [MetadataChange]) throws {
        for change in metadata { try output.line(view.line(change)) }
    }

    private func emitSummary(
        _ noun: String, added: Int, removed: Int, changed: Int, unchanged: Int,
        _ metadata: [MetadataChange]
    ) throws {
        try output.emit([
            "what": .string(noun), "added": .integer(added), "removed": .integer(removed),
            "changed": .integer(changed), "unchanged": .integer(unchanged),
            "metadata": .array(
                metadata.map { change in
                    [
                        "key": .string(change.key), "change": .string(change.word),
                        "before": change.before ?? .null, "after": change.after ?? .null,
                    ]
                }),
        ])
    }
}

extension TreeChange {
    fileprivate var word: String { before == nil ? "added" : after == nil ? "removed" : "changed" }

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
