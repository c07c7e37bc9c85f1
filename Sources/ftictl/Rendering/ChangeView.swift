import CommandSupport
import Objects

/// How differences are shown to a person.
struct ChangeView {
    let style: Style
    let width: Int
    /// The attribute whose words are compared, rather than its value as a whole.
    private static let textField = "text"
    private static let indent = "    "

    /// `+`, `-` or `~` with what it is about.
    func head(_ word: String, _ name: String, note: String = "") -> String {
        let name = name.printable()
        let note = note.isEmpty ? "" : "  " + style.dim(note)
        return switch word {
        case "added": style.green("+ \(name)") + note
        case "removed": style.red("- \(name)") + note
        default: style.yellow("~ \(name)") + note
        }
    }

    /// The lines about one row.
    func lines(_ change: TableChange) -> [String] {
        switch change {
        case .added(let row), .removed(let row):
            let text = row.attributes[Self.textField]?.string ?? ""
            let line = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            return [head(change.word, change.key)]
                + (line.isEmpty
                    ? [] : [Self.indent + line.printable().truncated(to: max(20, width - 4))])
        case .changed(let before, let after):
            let fields = change.fields
            var lines = [head(change.word, change.key, note: fields.joined(separator: ", "))]
            for field in fields where field != "vector" {
                lines += self.lines(
                    field, before.attributes[field], after.attributes[field])
            }
            return lines
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
        return [Self.indent + "\(field.printable()): \(value(before)) -> \(value(after))"]
    }

    private func value(_ json: JSON?) -> String {
        guard let json else { return style.dim("(none)") }
        if case .number(let number) = json { return Quantity.measurement(number) }
        if let id = json.string.flatMap({ ObjectID(hex: $0) }) { return style.yellow(id.short) }
        return json.canonicalText.printable().truncated(to: max(40, width / 2))
    }

    /// The line about one field of a snapshot.
    func line(_ change: MetadataChange) -> String {
        var line =
            "\(change.key.printable()): \(value(change.before)) -> \(value(change.after))"
        if let old = change.before?.number, let new = change.after?.number {
            line += "  (\(new > old ? "+" : "")\(Quantity.measurement(new - old)))"
        }
        return line
    }

    /// The line about one tensor.
    func line(_ change: TensorChange) -> String {
        let word = change.before == nil ? "added" : change.after == nil ? "removed" : "changed"
        func description(_ tensor: Tensor) -> String {
            "\(tensor.type.rawValue) \(tensor.shapeDescription)"
        }
        let note: String
        switch (change.before, change.after) {
        case (let before?, let after?) where description(before) != description(after):
            note = "\(description(before)) -> \(description(after))"
        case (_?, let after?):
            let share = change.relativeChange.map { "  relative L2 change \(Self.share($0))" }
            note = description(after) + (share ?? "")
        case (let tensor?, nil), (nil, let tensor?): note = description(tensor)
        case (nil, nil): note = ""
        }
        return Self.indent + head(word, change.name, note: note)
    }

    private static func share(_ value: Double) -> String {
        value >= 0.0001 || value == 0
            ? Quantity.decimal(value * 100, places: 2) + " %" : value.description
    }

    /// `3 added, 1 removed, 2 changed, 1,204 unchanged`.
    func summary(added: Int, removed: Int, changed: Int, unchanged: Int, noun: String) -> String {
        [
            style.green("\(Quantity.count(added)) added"),
            style.red("\(Quantity.count(removed)) removed"),
            style.yellow("\(Quantity.count(changed)) changed"),
            "\(Quantity.count(unchanged)) unchanged",
        ].joined(separator: ", ") + " (\(noun))"
    }
}

extension TensorChange {
    /// A line of `diff --rows --json`.
    func json(path: String) -> JSON {
        func description(_ tensor: Tensor?) -> JSON {
            guard let tensor else { return .null }
            return [
                "dtype": .string(tensor.type.rawValue),
                "shape": .array(tensor.shape.map { .integer($0) }),
            ]
        }
        let word = before == nil ? "added" : after == nil ? "removed" : "changed"
        return [
            "what": "tensor", "path": .string(path), "key": .string(name), "change": .string(word),
            "before": description(before), "after": description(after),
            "relativeChange": relativeChange.map { .number($0) } ?? .null,
        ]
    }
}
