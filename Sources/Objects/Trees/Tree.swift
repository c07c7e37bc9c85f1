public import Storage

/// A directory: its files and directories, sorted by the bytes of their names.
///
/// Its encoding is text: the line `fti-tree 1`, then a line `MODE SIZE ID NAME` for each entry.
public struct Tree: Hashable, Sendable {
    /// The entries, by name.
    public let entries: [TreeEntry]

    /// Makes a tree of entries in any order.
    ///
    /// - Throws: `invalid` when two names are equal, or are equal on a file system that ignores case,
    ///   or when a size is out of range.
    public init(_ entries: [TreeEntry]) throws(ObjectError) {
        let sorted = entries.sorted { $0.name < $1.name }
        if let (entry, reason) = Self.problem(in: sorted) {
            throw .invalid(what: entry.name.description, reason: reason)
        }
        self.entries = sorted
    }

    init(checked entries: [TreeEntry]) { self.entries = entries }

    /// The entry with a name, or nil; takes time logarithmic in the number of entries.
    public subscript(_ name: FileName) -> TreeEntry? {
        let at = entries.binarySearch { $0.name < name }
        return at < entries.count && entries[at].name == name ? entries[at] : nil
    }

    /// The first of the sorted entries that cannot stand in a tree with the others, and why.
    static func problem(in entries: [TreeEntry]) -> (TreeEntry, String)? {
        if entries.allSatisfy({ $0.name.isFolded }) { return problem(inFolded: entries) }
        // Keyed by strings on purpose: those are equal when they are canonically equivalent.
        var seen: [String: FileName] = [:]
        seen.reserveCapacity(entries.count)
        for entry in entries {
            guard 0...TreeEntry.sizeLimit ~= entry.size else {
                return (entry, "its size is out of range")
            }
            guard let other = seen.updateValue(entry.name, forKey: entry.name.folded) else {
                continue
            }
            return other == entry.name
                ? (entry, "the name occurs twice")
                : (entry, "a file system that ignores case cannot tell it from \(other)")
        }
        return nil
    }

    /// The same for names that are their own foldings: sorted, equal ones are neighbours.
    private static func problem(inFolded entries: [TreeEntry]) -> (TreeEntry, String)? {
        for (index, entry) in entries.enumerated() {
            guard 0...TreeEntry.sizeLimit ~= entry.size else {
                return (entry, "its size is out of range")
            }
            if index > 0, entries[index - 1].name == entry.name {
                return (entry, "the name occurs twice")
            }
        }
        return nil
    }
}
