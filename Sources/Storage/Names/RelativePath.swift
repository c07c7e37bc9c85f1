/// A path below some directory: names from the top down.
public struct RelativePath: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The names; none for the directory itself.
    public let names: [FileName]

    /// The most bytes that a path may have, separators included: what Linux accepts.
    public static let byteLimit = 4096

    /// The directory itself.
    public static let root = RelativePath(unchecked: [])

    private init(unchecked names: [FileName]) { self.names = names }

    /// Makes a path of names.
    ///
    /// - Throws: ``FileNameError`` when it has more bytes than the limit.
    public init(_ names: [FileName]) throws(FileNameError) {
        self.init(unchecked: names)
        guard byteCount <= Self.byteLimit else {
            throw FileNameError(
                name: bytes, reason: "its path has more than \(Self.byteLimit) bytes")
        }
    }

    /// Reads names separated by single slashes; the empty text is the directory itself.
    ///
    /// - Throws: ``FileNameError`` for a name that cannot be used, empty ones included.
    public init(_ text: String) throws(FileNameError) {
        guard !text.utf8.isEmpty else {
            self = .root
            return
        }
        var names: [FileName] = []
        let pieces = text.utf8.split(
            separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        for piece in pieces { names.append(try FileName(Array(piece))) }
        try self.init(names)
    }

    /// The path of an entry of the directory that this path names.
    ///
    /// - Throws: ``FileNameError`` when it has more bytes than the limit.
    public func appending(_ name: FileName) throws(FileNameError) -> RelativePath {
        try RelativePath(names + [name])
    }

    /// The number of bytes, separators included.
    public var byteCount: Int {
        names.reduce(0) { $0 + $1.bytes.count } + Swift.max(0, names.count - 1)
    }

    /// The path in UTF-8 with its slashes.
    public var bytes: [UInt8] { Array(names.map(\.bytes).joined(separator: [0x2F])) }

    /// The path as text with its slashes.
    public var description: String { String(decoding: bytes, as: UTF8.self) }

    /// Orders paths name by name, so that a directory's content follows it at once.
    public static func < (left: RelativePath, right: RelativePath) -> Bool {
        left.names.lexicographicallyPrecedes(right.names)
    }
}
