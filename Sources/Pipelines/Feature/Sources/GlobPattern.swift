/// A pattern for paths, as shells have them.
///
/// `*` and `?` stand for any characters and any one character but `/`, `[a-z]` and `[!a-z]` for one of a
/// set, `{a,b}` for either, and a component `**` for any number of folders, none included. A backslash
/// makes the character behind it an ordinary one. The letters of the last component's ending fit in upper
/// and lower case: `*.md` fits `README.MD`.
public struct GlobPattern: Hashable, Sendable {
    /// The pattern as it was written.
    public let text: String
    /// What any of which a path may fit: a pattern has several where it has braces.
    private let alternatives: [[Component]]

    /// A part of a pattern between slashes.
    private enum Component: Hashable {
        case anyFolders
        case name([GlobElement])
    }

    /// Why a text is no pattern.
    public struct Malformed: Error, Hashable, Sendable {
        /// The reason, as the end of a sentence that begins with the pattern.
        public let reason: String
    }

    /// Longer texts are no patterns, and no paths either.
    private static let byteLimit = 4096

    /// A path, split for the many patterns that it is held against.
    struct Path {
        fileprivate let names: [[Unicode.Scalar]]

        /// Splits a path at its slashes.
        init(_ path: String) { names = path.unicodeScalars.split(separator: "/").map(Array.init) }
    }

    /// Makes a pattern; a leading `./` or `/` means nothing.
    ///
    /// - Throws: What is wrong with the text.
    public init(_ text: String) throws(Malformed) {
        self.text = text
        guard !text.isEmpty else { throw Malformed(reason: "is empty") }
        guard text.utf8.count <= Self.byteLimit else { throw Malformed(reason: "is too long") }
        guard text.utf8.first != UInt8(ascii: "!") else {
            throw Malformed(
                reason:
                    "begins with !, which leaves nothing out: use exclude, or ? for the character")
        }
        alternatives = try GlobBraces.expand(text).map { (elements) throws(Malformed) in
            try Self.components(of: elements)
        }
    }

    /// The pattern of all files, in any folder, whose names have an ending of letters and digits.
    init(ending: String) {
        text = "**/*.\(ending)"
        let letters = ending.unicodeScalars.map { GlobElement.one($0) }
        alternatives = [
            [.anyFolders, .name(GlobElement.ignoringCaseOfEnding([.many, .one(".")] + letters))]
        ]
    }

    private static func components(
        of elements: [GlobElement]
    ) throws(Malformed) -> [Component] {
        var names = elements.split(separator: .slash).map(Array.init).filter { $0 != [.one(".")] }
        guard !names.contains([.one("."), .one(".")]) else {
            throw Malformed(reason: "leads out of the source's folder")
        }
        guard let last = names.popLast() else { throw Malformed(reason: "names nothing") }
        names.append(GlobElement.ignoringCaseOfEnding(last))
        return names.map { $0 == [.many, .many] ? .anyFolders : .name($0) }
    }

    /// Whether a path, its components separated by single slashes, fits the pattern.
    public func matches(_ path: String) -> Bool { matches(Path(path)) }

    /// Whether a path fits the pattern.
    func matches(_ path: Path) -> Bool { alternatives.contains { Self.fits(path.names, $0) } }

    private static func fits(_ names: [[Unicode.Scalar]], _ components: [Component]) -> Bool {
        // reachable[i]: the components so far fit the first i names.
        var reachable = [Bool](repeating: false, count: names.count + 1)
        reachable[0] = true
        for component in components {
            var next = [Bool](repeating: false, count: names.count + 1)
            switch component {
            case .anyFolders:
                var isReached = false
                for index in 0...names.count {
                    isReached = isReached || reachable[index]
                    next[index] = isReached
                }
            case .name(let elements):
                for index in names.indices where reachable[index] {
                    next[index + 1] = GlobElement.fits(names[index], elements)
                }
            }
            reachable = next
        }
        return reachable[names.count]
    }
}
