/// What tells one state of a file from every other without reading it: where it lies on which device, how long it is,
/// and when it was last changed.
///
/// The system sets ``changed`` at every change of content or attributes and lets nobody choose it, so a state that
/// is older than the clock's resolution is never mistaken for a later one.
public struct FileVersion: Hashable, Sendable {
    /// The device that the file is on.
    public let device: UInt64
    /// The number of the file on its device.
    public let inode: UInt64
    /// The type and the permissions, as `stat(2)` has them.
    public let mode: UInt32
    /// The size in bytes.
    public let size: Int
    /// The time of the last change of the content, in nanoseconds since 1970; anybody may set it.
    public let modified: Int
    /// The time of the last change of the content or of the attributes, in nanoseconds since 1970.
    public let changed: Int

    /// Makes a version.
    public init(
        device: UInt64, inode: UInt64, mode: UInt32, size: Int, modified: Int, changed: Int
    ) {
        self.device = device
        self.inode = inode
        self.mode = mode
        self.size = size
        self.modified = modified
        self.changed = changed
    }

    init(_ status: FileStatus) {
        self.init(
            device: status.identity.device, inode: status.identity.inode, mode: status.mode,
            size: status.size, modified: status.modified, changed: status.changed)
    }

    /// Whether its owner may execute the file.
    public var isExecutable: Bool { mode & 0o100 != 0 }
}
