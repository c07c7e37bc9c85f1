import Artifacts
import Objects

/// How one document differs between two tables, and in how many rows.
struct DocumentChange {
    enum Fate: String {
        case added, removed, changed
        /// The document is new and has more than half of the rows of one that is gone.
        case moved
    }

    let name: String
    /// The prefix of the keys of its rows.
    fileprivate let prefix: [UInt8]
    fileprivate(set) var fate = Fate.changed
    /// The old name of a document that moved; nil otherwise.
    fileprivate(set) var origin: String?
    fileprivate(set) var added = 0
    fileprivate(set) var removed = 0
    fileprivate(set) var changed = 0
    /// Rows that moved here, from other keys or documents.
    fileprivate(set) var moved = 0

    /// Rows that moved away, to other keys or documents.
    fileprivate var left = 0
    /// The number of rows that came from each other document, by the prefix of that document's keys.
    fileprivate var sources: [[UInt8]: Int] = [:]

    fileprivate init(name: String, prefix: [UInt8]) {
        self.name = name
        self.prefix = prefix
    }

    var json: JSON {
        [
            "document": .string(name), "change": .string(fate.rawValue),
            "from": origin.map { .string($0) } ?? .null,
            "added": .integer(added), "removed": .integer(removed), "changed": .integer(changed),
            "moved": .integer(moved),
        ]
    }
}

/// The documents in which two tables differ.
struct DocumentChanges {
    /// The documents, sorted by name; empty if the keys name no documents.
    private(set) var all: [DocumentChange] = []
    private var places: [[UInt8]: Int] = [:]

    /// Compares two tables.
    ///
    /// - Parameter moves: The rows that moved between the tables.
    init(
        from before: Table, to after: Table, moves: RowMoves, in objects: PackStore
    ) throws(ObjectError) {
        var diff = try RowDiff(from: before, to: after, moves: moves, in: objects)
        while let change = try diff.next() { count(change) }
        try findFates(RowFinder(before, in: objects), RowFinder(after, in: objects))
        findMoves()
        all.sort { $0.prefix.lexicographicallyPrecedes($1.prefix) }
    }

    /// The number of documents with each fate.
    var counts: ChangeCounts {
        func count(_ fate: DocumentChange.Fate) -> Int { all.count { $0.fate == fate } }
        return ChangeCounts(
            added: count(.added), removed: count(.removed), changed: count(.changed),
            moved: count(.moved))
    }

    private mutating func count(_ change: RowChange) {
        guard let place = place(of: change.key) else { return }
        switch change {
        case .added: all[place].added += 1
        case .removed: all[place].removed += 1
        case .changed: all[place].changed += 1
        case .moved(let before, _):
            all[place].moved += 1
            guard let source = self.place(of: before.key) else { return }
            all[source].left += 1
            if source != place { all[place].sources[all[source].prefix, default: 0] += 1 }
        }
    }

    /// The index of a key's document in the list, which a new document joins; nil if the key names none.
    private mutating func place(of key: String) -> Int? {
        guard let (name, prefix) = Self.document(of: key) else { return nil }
        if let place = places[prefix] { return place }
        places[prefix] = all.count
        all.append(DocumentChange(name: name, prefix: prefix))
        return all.count - 1
    }

    /// The first component of a key, `document#section#ordinal`, and the key's prefix through the `#` after it; nil if
    /// the key has no `#`.
    private static func document(of key: String) -> (name: String, prefix: [UInt8])? {
        var name: [UInt8] = []
        var isEscaped = false
        for (index, byte) in key.utf8.enumerated() {
            if byte == UInt8(ascii: "\\"), !isEscaped {
                isEscaped = true
                continue
            }
            if byte == UInt8(ascii: "#"), !isEscaped {
                return (String(decoding: name, as: UTF8.self), Array(key.utf8.prefix(index + 1)))
            }
            name.append(byte)
            isEscaped = false
        }
        return nil
    }

    private mutating func findFates(
        _ before: RowFinder<PackStore>, _ after: RowFinder<PackStore>
    ) throws(ObjectError) {
        var (before, after) = (before, after)
        for index in all.indices.sorted(by: {
            all[$0].prefix.lexicographicallyPrecedes(all[$1].prefix)
        }) {
            let change = all[index]
            // A changed row proves that both tables have the document; otherwise one lookup decides.
            if change.changed > 0 { continue }
            if change.removed + change.left == 0 {
                let existed = try before.hasRow(withPrefix: change.prefix)
                if !existed { all[index].fate = .added }
            } else if change.added + change.moved == 0 {
                let exists = try after.hasRow(withPrefix: change.prefix)
                if !exists { all[index].fate = .removed }
            }
        }
    }

    /// Joins a new document with the removed one that most of its moved rows came from, if more than half of the
    /// removed document's rows are among them: the document has moved.
    private mutating func findMoves() {
        var gone: Set<Int> = []
        for index in all.indices where all[index].fate == .added {
            let best = all[index].sources.max { left, right in
                left.value != right.value
                    ? left.value < right.value : right.key.lexicographicallyPrecedes(left.key)
            }
            guard let best, let source = places[best.key], all[source].fate == .removed,
                !gone.contains(source),
                2 * best.value > all[source].left + all[source].removed
            else { continue }
            all[index].fate = .moved
            all[index].origin = all[source].name
            all[index].removed += all[source].removed
            gone.insert(source)
        }
        all = all.indices.filter { !gone.contains($0) }.map { all[$0] }
        places = [:]
    }
}
