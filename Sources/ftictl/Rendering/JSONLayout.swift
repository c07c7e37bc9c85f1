import Objects

extension JSON {
    /// The value over as many lines as it takes to keep each within a width, as far as single values allow; on one
    /// line where it fits.
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

    /// Whether it is a list or an object.
    var isStructure: Bool { array != nil || object != nil }

    /// What is in this value, down to scalars and lists of scalars, with the paths to them, such as `chunk.size`.
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

    /// The value as JSON that can be broken between the items of a list.
    var spacedText: String {
        guard let items = array, items.allSatisfy({ !$0.isStructure }) else { return canonicalText }
        return "[" + items.map(\.canonicalText).joined(separator: ", ") + "]"
    }
}
