/// What the log says of a pack: enough to open it and to know that its index is the right one.
public struct PackReference: Hashable, Sendable {
    /// The SHA-256 of the pack's footer, which is also its file name.
    public let name: ObjectID
    /// The size of the file in bytes.
    public let size: Int
    /// Where the footer begins.
    public let indexOffset: Int

    /// Makes a reference.
    public init(name: ObjectID, size: Int, indexOffset: Int) {
        self.name = name
        self.size = size
        self.indexOffset = indexOffset
    }
}
