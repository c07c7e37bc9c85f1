import FileFormats
import CommandSupport
import Objects

/// Formats differences for people.
struct ChangeView {
    let style: Style
    let width: Int
    /// The attribute that is always compared word by word; other texts are only if they are long.
    private static let textField = "text"
    /// The attributes that give the position of a chunk.
    private static let placeFields: Set<String> = ["document", "section", "ordinal"]
    private static let indent = "    "

    /// A name marked with `+`, `-`, `~` or `>`, and a note.
    func head(_ word: String, _ name: String, note: String = "") -> String {
        let name = name.printable()
        let note = note.isEmpty ? "" : "  " + style.dim(note)
        return switch word {
        case "added": style.green("+ \(name)") + note
        case "removed": style.red("- \(name)") + note
        case "moved": style.cyan("> \(name)") + note
        default: style.yellow("~ \(name)") + note
        }
    }

    /// The lines about one row.
    func lines(_ change: RowChange) -> [String] {
        switch change {
        case .added(let row), .removed(let row):
            let text = row.attributes[Self.textField]?.string ?? ""
            let line = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            return [head(change.word, change.key)]
                + (line.isEmpty
                    ? [] : [Self.indent + line.printable().truncated(to: max(20, width - 4))])
        case .changed(let before, let after):
            let fields = change.fields
            return [head(change.word, change.key, note: fields.joined(separator: ", "))]
                + lines(fields, before, after)
        case .moved(let before, let after):
            // The keys already show the old and the new position.
            let fields = change.fields.filter { !Self.placeFields.contains($0) }
            let note = ["from \(before.key.printable())"] + fields
            return [head(change.word, change.key, note: note.joined(separator: ", "))]
                + lines(fields, before, after)
        }
    }

    private func lines(_ fields: [String], _ before: TableRow, _ after: TableRow) -> [String] {
        fields.filter { $0 != "vector" }.flatMap { field in
            lines(field, before.attributes[field], after.attributes[field])
        }
    }

    /// The lines about one field.
    func lines(_ field: String, _ before: JSON?, _ after: JSON?) -> [String] {
        if let old = before?.string, let new = after?.string,
            field.utf8.elementsEqual(Self.textField.utf8) || old.utf8.count + new.utf8.count > 80
        {
            let diff = WordDiff(from: old, to: new)
            return diff.lines(width: width - Self.indent.utf8.count, style: style)
                .map { Self.indent + $0 }
        }
        return [Self.indent + "\(field.printable()): \(values(before, after))"]
    }

    /// Both sides of a change; numbers have enough digits to tell them apart.
    private func values(_ before: JSON?, _ after: JSON?) -> String {
        if let old = before?.number, let new = after?.number {
            let texts = Quantity.measurements(old, new)
            return "\(texts.0) -> \(texts.1)"
        }
        return "\(value(before)) -> \(value(after))"
    }

    private func value(_ json: JSON?) -> String {
        guard let json else { return style.dim("(none)") }
        if let number = json.number { return Quantity.measurement(number) }
        if let id = json.string.flatMap({ ObjectID(hex: $0) }) { return style.yellow(id.short) }
        return json.canonicalText.printable().truncated(to: max(40, width / 2))
    }

    /// The lines about one field of a snapshot; for a list or an object, about each element that differs.
    func lines(_ change: MetadataChange) -> [String] {
        guard let before = change.before, let after = change.after,
            before.isStructure, after.isStructure
        else { return [line(change)] }
        let left = before.leaves(named: change.key)
        let right = after.leaves(named: change.key)
        let old = Dictionary(left.map { ($0.name, $0.value) }) { $1 }
        let new = Dictionary(right.map { ($0.name, $0.value) }) { $1 }
        return (left + right.filter { old[$0.name] == nil }).map(\.name)
            .filter { old[$0] != new[$0] }
            .map { line(MetadataChange(key: $0, before: old[$0], after: new[$0])) }
    }

    private func line(_ change: MetadataChange) -> String {
        var line = "\(change.key.printable()): \(values(change.before, change.after))"
        if let old = change.before?.number, let new = change.after?.number {
            line += "  (\(Quantity.change(from: old, to: new)))"
        }
        return line
    }

    /// The line about one tensor.
    func line(_ change: TensorChange) -> String {
        func description(_ tensor: Tensor) -> String {
            "\(tensor.dtype.printable()) \(tensor.shapeDescription)"
        }
        let note: String
        switch (change.before, change.after) {
        case (let before?, let after?) where description(before) != description(after):
            note = "\(description(before)) -> \(description(after))"
        case (_?, let after?):
            let share = change.relativeChange.map { "  relative L2 change \(Self.share($0))" }
            note =
                description(after) + (share ?? "") + Self.count("NaN", change.nan)
                + Self.count("infinite", change.infinite)
        case (let tensor?, nil), (nil, let tensor?): note = description(tensor)
        case (nil, nil): note = ""
        }
        return Self.indent + head(changeWord(change.before, change.after), change.name, note: note)
    }

    /// How many values are NaN or infinite before and after; empty if none are.
    private static func count(_ word: String, _ counts: TensorChange.Counts) -> String {
        guard counts.before + counts.after > 0 else { return "" }
        return "  \(word): \(Quantity.count(counts.before)) -> \(Quantity.count(counts.after))"
    }

    private static func share(_ value: Double) -> String {
        value >= 0.0001 || value == 0
            ? Quantity.decimal(value * 100, places: 2) + " %" : value.description
    }

    /// A line per document, with its name, the numbers of rows added, removed, changed and moved, and its fate; then a
    /// summary line.
    func lines(_ documents: DocumentChanges) -> [String] {
        guard !documents.all.isEmpty else { return [] }
        var columns = Columns([.left, .right, .right, .right, .right, .left])
        func cell(_ mark: String, _ count: Int, _ look: @escaping @Sendable (String) -> String)
            -> String
        {
            look(count == 0 ? "" : mark + Quantity.count(count))
        }
        for document in documents.all {
            let note =
                switch document.fate {
                case .added: "new"
                case .removed: "gone"
                case .moved: "from \((document.origin ?? "").printable())"
                case .changed: ""
                }
            columns.append([
                document.name.printable(), cell("+", document.added, style.green),
                cell("-", document.removed, style.red), cell("~", document.changed, style.yellow),
                cell(">", document.moved, style.cyan), style.dim(note),
            ])
        }
        return columns.lines + [summary(documents.counts, "documents")]
    }

    /// `3 added, 1 removed, 2 changed, 1,204 unchanged (rows)`; mentions moves only if there are any.
    func summary(_ counts: ChangeCounts, _ noun: String) -> String {
        var parts = [
            style.green("\(Quantity.count(counts.added)) added"),
            style.red("\(Quantity.count(counts.removed)) removed"),
            style.yellow("\(Quantity.count(counts.changed)) changed"),
        ]
        if let moved = counts.moved, moved > 0 {
            parts.append(style.cyan("\(Quantity.count(moved)) moved"))
        }
        if let unchanged = counts.unchanged {
            parts.append("\(Quantity.count(unchanged)) unchanged")
        }
        return parts.joined(separator: ", ") + " (\(noun))"
    }
}

extension TensorChange {
    /// A line of `diff --rows --json`.
    func json(path: String) -> JSON {
        func counts(_ counts: TensorChange.Counts) -> JSON {
            ["before": .integer(counts.before), "after": .integer(counts.after)]
        }
        return [
            "what": "tensor", "path": .string(path), "key": .string(name),
            "change": .string(changeWord(before, after)),
            "before": before?.json ?? .null, "after": after?.json ?? .null,
            "relativeChange": relativeChange.map { .number($0) } ?? .null,
            "nan": counts(nan), "infinite": counts(infinite),
        ]
    }
}

extension JSON {
    /// The value on as few lines as fit a width, broken between members; a single value is never broken.
    func lines(width: Int) -> [String] {
        let whole = canonicalText
        guard whole.utf8.count > width else { return [whole] }
        func joined(_ items: [[String]], _ opening: String, _ closing: String) -> [String] {
            let indented = items.enumerated().flatMap { index, item in
                var lines = item.map { "  " + $0 }
                if index + 1 < items.count { lines[lines.count - 1] += "," }
                return lines
            }
            return [opening] + indented + [closing]
        }
        if let items = array, !items.isEmpty {
            return joined(items.map { $0.lines(width: width - 3) }, "[", "]")
        }
        guard let members = object, !members.isEmpty else { return [whole] }
        return joined(
            members.map { member in
                let key = JSON.string(member.key).canonicalText + ":"
                var lines = member.value.lines(width: width - 3 - key.utf8.count)
                lines[0] = key + lines[0]
                return lines
            }, "{", "}")
    }

    /// Whether the value is a list or an object.
    var isStructure: Bool { array != nil || object != nil }

    /// The scalars and lists of scalars in this value, with their paths, such as `chunk.size`.
    func leaves(named name: String) -> [(name: String, value: JSON)] {
        if let members = object, !members.isEmpty {
            return members.flatMap { $0.value.leaves(named: "\(name).\($0.key)") }
        }
        guard let items = array, !items.isEmpty else { return [(name, self)] }
        guard items.allSatisfy({ !$0.isStructure }) else {
            return items.enumerated().flatMap { $1.leaves(named: "\(name)[\($0)]") }
        }
        return [(name, self)]
    }

    /// The value as JSON, with spaces between the items of a list so that it can wrap.
    var spacedText: String {
        guard let items = array, items.allSatisfy({ !$0.isStructure }) else { return canonicalText }
        return "[" + items.map(\.canonicalText).joined(separator: ", ") + "]"
    }
}
