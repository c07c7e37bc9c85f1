internal import Storage

extension Tree {
    private static let magic = Array("fti-tree 1\n".utf8)

    // Mode, size, identity and name, their separators and the end of the line.
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

    /// Decodes a tree; every sequence of bytes gives a tree that encodes to it, or an error.
    ///
    /// - Parameter id: The identity that the bytes have, for messages.
    /// - Throws: `malformed`, with the offset of what is wrong.
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

/// Reads the lines of a tree.
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
            // Checked at each digit, so the next step cannot overflow.
            guard value <= TreeEntry.sizeLimit else { throw error("the size is out of range") }
            offset += 1
        }
        guard offset > start else { throw error("the size is not a number") }
        return value
    }

    private mutating func identity() throws(ObjectError) -> ObjectID {
        guard bytes.count - offset >= 64,
            let id = ObjectID(hex: Substring(decoding: bytes[offset..<offset + 64], as: UTF8.self))
        else { throw error("the identity is not 64 lower-case hexadecimal digits") }
        offset += 64
        return id
    }

    private mutating func name() throws(ObjectError) -> FileName {
        guard let end = bytes[offset...].firstIndex(of: 0x0A) else {
            throw error("the last line does not end")
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
