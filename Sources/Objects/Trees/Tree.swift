public import Storage

/// A directory: its files and directories, sorted by the bytes of their names.
///
/// Encoded as text: the line `fti-tree 1`, then a line `MODE SIZE ID NAME` for each entry.
public struct Tree: Hashable, Sendable {
    /// The entries, by name.
    public let entries: [TreeEntry]

    /// Makes a tree from entries in any order.
    ///
    /// - Throws: `invalid` when two names are equal, even if only on a file system that ignores case, or when a size is
    ///   out of range.
    public init(_ entries: [TreeEntry]) throws(ObjectError) {
        let sorted = entries.sorted { $0.name < $1.name }
        if let (entry, reason) = Self.problem(in: sorted) {
            throw .invalid(what: entry.name.description, reason: reason)
        }
        self.entries = sorted
    }

    init(checked entries: [TreeEntry]) { self.entries = entries }

    /// The entry with a name, or nil; takes logarithmic time.
    public subscript(_ name: FileName) -> TreeEntry? {
        let at = entries.binarySearch { $0.name < name }
        return at < entries.count && entries[at].name == name ? entries[at] : nil
    }

    /// The first of the sorted entries that a tree cannot have, and why; nil when a tree can have them all.
    static func problem(in entries: [TreeEntry]) -> (TreeEntry, String)? {
        if entries.allSatisfy({ $0.name.isFolded }) { return problem(inFolded: entries) }
        // The keys are strings on purpose: canonically equivalent strings are equal.
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

    /// The same as ``problem(in:)`` for names that equal their case foldings: in sorted order, equal names are
    /// neighbours.
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

/// One line of a tree: a file or a directory.
public struct TreeEntry: Hashable, Sendable {
    /// The kind of an entry. There are no links and no devices.
    public enum Mode: UInt8, Sendable, CaseIterable {
        /// A file: `f`.
        case file = 0x66
        /// An executable file: `x`.
        case executable = 0x78
        /// A directory: `d`. Its object is a tree.
        case directory = 0x64

        /// The letter that stands for the mode.
        public var letter: String { String(decoding: [rawValue], as: UTF8.self) }
    }

    /// The name in the directory.
    public let name: FileName
    /// The kind of the entry.
    public let mode: Mode
    /// The size of the object in bytes; for a directory, the size of its tree object.
    public let size: Int
    /// The object with the content.
    public let id: ObjectID

    /// The largest size of an entry in bytes: 2^53 - 1, the largest interoperable integer of JSON (RFC 7493).
    public static let sizeLimit = (1 << 53) - 1

    /// Makes an entry; ``Tree/init(_:)`` checks its size.
    public init(name: FileName, mode: Mode, size: Int, id: ObjectID) {
        self.name = name
        self.mode = mode
        self.size = size
        self.id = id
    }
}

extension Tree {
    private static let magic = Array("fti-tree 1\n".utf8)

    // Mode, size, identity and name, three separators and the line feed.
    private static let shortestLine = 1 + 1 + 1 + 1 + 64 + 1 + 1 + 1

    /// The canonical bytes of the tree.
    public var encoded: [UInt8] {
        var bytes = Self.magic
        bytes.reserveCapacity(bytes.count + entries.reduce(0) { $0 + 90 + $1.name.bytes.count })
        for entry in entries {
            bytes.append(entry.mode.rawValue)
            bytes.append(0x20)
            bytes.append(contentsOf: String(entry.size).utf8)
            bytes.append(0x20)
            bytes.append(contentsOf: entry.id.hex.utf8)
            bytes.append(0x20)
            bytes.append(contentsOf: entry.name.bytes)
            bytes.append(0x0A)
        }
        return bytes
    }

    /// Decodes a tree. Any bytes give either a tree that encodes to the same bytes, or an error.
    ///
    /// - Parameter id: The identity of the bytes, for messages.
    /// - Throws: `malformed`, with the offset of the fault.
    public init(decoding bytes: [UInt8], id: ObjectID? = nil) throws(ObjectError) {
        guard bytes.starts(with: Self.magic) else {
            throw .malformed(id, as: "tree", reason: "it does not begin with fti-tree 1", offset: 0)
        }
        var lines = TreeLines(bytes: bytes, offset: Self.magic.count, id: id)
        var entries: [TreeEntry] = []
        entries.reserveCapacity((bytes.count - Self.magic.count) / Self.shortestLine)
        while !lines.isAtEnd {
            let start = lines.offset
            let entry = try lines.next()
            if let last = entries.last, !(last.name < entry.name) {
                throw .malformed(
                    id, as: "tree", reason: "the names are not sorted", offset: start)
            }
            entries.append(entry)
        }
        if let (entry, reason) = Self.problem(in: entries) {
            throw .malformed(id, as: "tree", reason: "\(entry.name): \(reason)", offset: nil)
        }
        self.init(checked: entries)
    }
}

/// Parses the lines of a tree.
private struct TreeLines {
    let bytes: [UInt8]
    var offset: Int
    let id: ObjectID?

    var isAtEnd: Bool { offset == bytes.count }

    mutating func next() throws(ObjectError) -> TreeEntry {
        guard let mode = TreeEntry.Mode(rawValue: bytes[offset]) else {
            throw error("the mode is not f, x or d")
        }
        offset += 1
        try expect(0x20)
        let size = try size()
        try expect(0x20)
        let id = try identity()
        try expect(0x20)
        let name = try name()
        return TreeEntry(name: name, mode: mode, size: size, id: id)
    }

    private func error(_ reason: String) -> ObjectError {
        .malformed(id, as: "tree", reason: reason, offset: offset)
    }

    private mutating func expect(_ byte: UInt8) throws(ObjectError) {
        guard offset < bytes.count, bytes[offset] == byte else { throw error("a space is missing") }
        offset += 1
    }

    private mutating func size() throws(ObjectError) -> Int {
        let start = offset
        var value = 0
        while offset < bytes.count, 0x30...0x39 ~= bytes[offset] {
            guard offset == start || value > 0 else { throw error("the size begins with a zero") }
            value = value * 10 + Int(bytes[offset] - 0x30)
            // Checked after each digit, so the next step cannot overflow.
            guard value <= TreeEntry.sizeLimit else { throw error("the size is out of range") }
            offset += 1
        }
        guard offset > start else { throw error("the size is not a number") }
        return value
    }

    private mutating func identity() throws(ObjectError) -> ObjectID {
        guard bytes.count - offset >= 64,
            let id = ObjectID(hex: bytes.span.extracting(offset..<offset + 64))
        else { throw error("the identity is not 64 lower-case hexadecimal digits") }
        offset += 64
        return id
    }

    private mutating func name() throws(ObjectError) -> FileName {
        guard let end = bytes[offset...].firstIndex(of: 0x0A) else {
            throw error("the last line has no line feed")
        }
        do {
            let name = try FileName(Array(bytes[offset..<end]))
            offset = end + 1
            return name
        } catch {
            throw self.error("\(error.quoted) cannot be a file name: \(error.reason)")
        }
    }
}

/// Reads trees and finds entries in them by their paths.
public struct TreeReader: Sendable {
    private let source: any ObjectSource

    /// Prepares to read trees from a source; reads nothing yet.
    public init(_ source: any ObjectSource) { self.source = source }

    /// Reads one tree.
    ///
    /// - Parameter size: The size that the entry of the tree lists; nil if unknown.
    /// - Throws: `missing`; `malformed` when the object is not a tree or has another size.
    public func tree(_ id: ObjectID, size: Int? = nil) throws(ObjectError) -> Tree {
        let bytes = try source.read(id, limit: structuredObjectLimit)
        guard size == nil || size == bytes.count else {
            throw .malformed(
                id, as: "tree",
                reason: "it has \(bytes.count) bytes, but its directory lists \(size ?? 0)",
                offset: nil)
        }
        return try Tree(decoding: bytes, id: id)
    }

    /// Reads the tree of a directory, and checks its size.
    public func tree(of entry: TreeEntry) throws(ObjectError) -> Tree {
        try tree(entry.id, size: entry.size)
    }

    /// Reads the entries of a directory; none if there is no directory.
    func entries(of directory: TreeEntry?) throws(ObjectError) -> [TreeEntry] {
        guard let directory else { return [] }
        return try tree(of: directory).entries
    }

    /// Reads the entries of a tree; none if there is no tree.
    func entries(of id: ObjectID?) throws(ObjectError) -> [TreeEntry] {
        guard let id else { return [] }
        return try tree(id).entries
    }

    /// The entry at a path below a root; nil when there is none, or for the root itself.
    public func entry(at path: RelativePath, in root: ObjectID) throws(ObjectError) -> TreeEntry? {
        var tree = try tree(root)
        for name in path.names.dropLast() {
            guard let entry = tree[name], entry.mode == .directory else { return nil }
            tree = try self.tree(of: entry)
        }
        return path.names.last.flatMap { tree[$0] }
    }
}
