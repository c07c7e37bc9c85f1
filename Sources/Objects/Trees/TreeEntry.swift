public import Storage

/// One line of a tree: a file or a directory.
public struct TreeEntry: Hashable, Sendable {
    /// What an entry is. There are no links and no devices.
    public enum Mode: UInt8, Sendable, CaseIterable {
        /// A file: `f`.
        case file = 0x66
        /// A file that its owner may execute: `x`.
        case executable = 0x78
        /// A directory: `d`. Its object is a tree.
        case directory = 0x64

        /// The letter that stands for the mode.
        public var letter: String { String(decoding: [rawValue], as: UTF8.self) }
    }

    /// The name in the directory.
    public let name: FileName
    /// What it is.
    public let mode: Mode
    /// The size of the object in bytes; of the tree itself for a directory.
    public let size: Int
    /// The object with the content.
    public let id: ObjectID

    /// The largest size that an entry may have: 2^53 - 1 bytes, the largest integer that every JSON
    /// reader keeps exactly.
    public static let sizeLimit = (1 << 53) - 1

    /// Makes an entry.
    public init(name: FileName, mode: Mode, size: Int, id: ObjectID) {
        self.name = name
        self.mode = mode
        self.size = size
        self.id = id
    }
}
