public import Objects

/// What a person types to name a version of something, or a part of it.
///
/// A ref or the first digits of an id; then, for a ref, at most one `@{N}` or `@{TIME}`; then any number
/// of `~N` and `^ROLE`; then at most one `:PATH`. For example `models/current~2`,
/// `features/prod@{yesterday}`, `3fa9c1`, `models/current^dataset:config.json`.
public struct Revision: Hashable, Sendable, CustomStringConvertible {
    /// Where a revision begins.
    public enum Base: Hashable, Sendable {
        /// What a ref points at.
        case ref(RefName)
        /// The object whose identity begins so.
        case object(ObjectIDPrefix)
    }

    /// Which of a ref's values is meant.
    public enum Selector: Hashable, Sendable {
        /// `@{N}`: the value that it had N values ago; 0 is what it is now.
        case position(Int)
        /// `@{TIME}`: the value that it had at a moment.
        case time(RevisionTime)
    }

    /// A step from one snapshot to another.
    public enum Step: Hashable, Sendable {
        /// `~N`: N times the first parent.
        case ancestor(Int)
        /// `^ROLE`: the input of that role.
        case input(String)
    }

    /// Where it begins.
    public let base: Base
    /// Which of the ref's values is meant; nil for the newest.
    public let selector: Selector?
    /// The steps from there, in order.
    public let steps: [Step]
    /// The path of a file in a tree, or the key of a row in a table.
    public let path: String?

    /// The most bytes that a revision may have: a path of 4,096 bytes and all else that makes sense.
    public static let byteLimit = 8 << 10

    /// A ref's newest value.
    public init(_ name: RefName) {
        self.init(base: .ref(name))
    }

    /// An object.
    public init(_ id: ObjectID) {
        self.init(base: .object(ObjectIDPrefix(id)))
    }

    init(base: Base, selector: Selector? = nil, steps: [Step] = [], path: String? = nil) {
        self.base = base
        self.selector = selector
        self.steps = steps
        self.path = path
    }

    /// The same without the path behind `:`.
    public var withoutPath: Revision { Revision(base: base, selector: selector, steps: steps) }

    /// Reads a revision; total over all texts.
    ///
    /// - Throws: `revision` with the place of the mistake; `invalidName` and `unknownNamespace` when only
    ///   the name of the ref is wrong.
    public init(_ text: some StringProtocol) throws(RefError) {
        try self.init(utf8: Array(text.utf8))
    }

    /// Reads a revision from bytes, which may be anything.
    public init(utf8 bytes: [UInt8]) throws(RefError) {
        var parser = RevisionParser(bytes)
        self = try parser.revision()
    }

    /// The text that reads as this revision.
    public var description: String {
        var text =
            switch base {
            case .ref(let name): name.text
            case .object(let prefix): prefix.hex
            }
        switch selector {
        case .position(let position)?: text += "@{\(position)}"
        case .time(let time)?: text += "@{\(time)}"
        case nil: break
        }
        for step in steps {
            switch step {
            case .ancestor(let generation): text += "~\(generation)"
            case .input(let role): text += "^\(role)"
            }
        }
        return path.map { "\(text):\($0)" } ?? text
    }

    /// Compares the bytes of the texts.
    public static func == (left: Revision, right: Revision) -> Bool {
        left.description.utf8.elementsEqual(right.description.utf8)
    }

    /// Hashes the bytes of the text.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(Array(description.utf8))
    }
}
