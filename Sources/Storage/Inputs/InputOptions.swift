/// Options for listing the inputs of a `put`.
public struct InputOptions: Sendable {
    /// Whether to follow all symbolic links. Otherwise, only links that stay in their scope are followed; see
    /// ``InputListing/walking(_:_:)``.
    public var followLinks = false
    /// Whether all symbolic links are refused, even those that stay in their scope.
    public var refusesLinks = false
    /// Patterns of excluded entries in `.gitignore` syntax, relative to each named directory.
    public var excludes: [String] = []
    /// Whether ``defaultExcludes`` apply, unless a pattern overrides them.
    public var usesDefaultExcludes = true
    /// Whether entries with invalid names are renamed rather than refused.
    public var renamesInvalid = false

    /// Files that tools leave behind, in `.gitignore` syntax.
    public static let defaultExcludes = [
        ".git", "**/.cache/huggingface/", "__pycache__/", ".DS_Store", ".ipynb_checkpoints/",
    ]

    /// The name of the file whose lines exclude entries of its own directory and of those below.
    public static let ignoreFile = ".ftiignore"

    /// The default options.
    public init() {}
}

/// The exclude patterns that apply to a directory.
struct IgnoreRules: Sendable {
    /// Whether an entry is kept, and which patterns exclude it.
    enum Verdict {
        case kept, excluded, excludedByDefault
    }

    /// The patterns of one file or of the command line.
    private struct Group {
        /// The number of names from the named directory down to the directory that the patterns are relative to.
        let depth: Int
        let patterns: [IgnorePattern]
        var isDefault = false
    }

    private let given: Group
    private let defaults: Group
    private var files: [Group] = []

    init(_ options: InputOptions) {
        given = Group(depth: 0, patterns: options.excludes.compactMap { IgnorePattern($0.utf8) })
        let patterns = options.usesDefaultExcludes ? InputOptions.defaultExcludes : []
        defaults = Group(
            depth: 0, patterns: patterns.compactMap { IgnorePattern($0.utf8) }, isDefault: true)
    }

    /// Adds the lines of an ignore file in a directory that lies `depth` names below the named one. They take
    /// precedence over the lines of directories above.
    mutating func add(_ text: [UInt8], depth: Int) {
        let patterns = text.split(separator: 0x0A).compactMap { IgnorePattern($0) }
        if !patterns.isEmpty { files.append(Group(depth: depth, patterns: patterns)) }
    }

    /// Decides about an entry by the first group with a matching pattern, and in that group by the last such pattern.
    func verdict(on path: [[UInt8]], isDirectory: Bool) -> Verdict {
        for group in [given] + files.reversed() + [defaults] where group.depth < path.count {
            let below = path[group.depth...]
            let last = group.patterns.last { $0.matches(below, isDirectory: isDirectory) }
            guard let last else { continue }
            return last.isNegated ? .kept : group.isDefault ? .excludedByDefault : .excluded
        }
        return .kept
    }
}

/// A line of a `.gitignore`, as `gitignore(5)` defines it.
struct IgnorePattern: Sendable {
    /// Whether a match keeps the entry: the line begins with `!`.
    let isNegated: Bool
    private let onlyDirectories: Bool
    /// The patterns for the names of a path; nil matches any number of names.
    private let segments: [[Glyph]?]
    /// The fewest names that a match has: `a/**` matches only entries inside `a`.
    private let fewestNames: Int

    /// Parses a line; nil for an empty line and a comment.
    init?(_ line: some Collection<UInt8>) {
        var text = Array(line)
        if text.last == 0x0D { text.removeLast() }
        while text.last == 0x20, text.dropLast().last != 0x5C { text.removeLast() }
        guard let first = text.first, first != 0x23 else { return nil }
        isNegated = first == 0x21
        if isNegated { text.removeFirst() }
        onlyDirectories = text.last == 0x2F
        if onlyDirectories { text.removeLast() }
        // A pattern with a slash before its end is relative to its file's directory; any other matches at any depth.
        let isAnchored = text.contains(0x2F)
        if text.first == 0x2F { text.removeFirst() }
        guard !text.isEmpty else { return nil }
        let names = text.split(separator: 0x2F, omittingEmptySubsequences: false).map(Array.init)
        let parts: [[Glyph]?] = names.map { $0 == [0x2A, 0x2A] ? nil : Self.glyphs($0) }
        segments = isAnchored ? parts : [nil] + parts
        let endsInside = parts.count > 1 && names.last == [0x2A, 0x2A]
        fewestNames = parts.count { $0 != nil } + (endsInside ? 1 : 0)
    }

    /// Whether the pattern matches a path relative to its directory.
    func matches(_ path: ArraySlice<[UInt8]>, isDirectory: Bool) -> Bool {
        guard isDirectory || !onlyDirectories, path.count >= fewestNames else { return false }
        return Self.match(
            segments[...], path,
            isMany: { $0 == nil },
            isOne: { segment, name in segment.map { Self.matches($0[...], name) } ?? true })
    }

    /// Matches a pattern with wildcards for any number of elements. Backtracks only to the last wildcard, so the time
    /// is bounded by the product of the lengths.
    private static func match<Part, Element>(
        _ pattern: ArraySlice<Part>, _ text: ArraySlice<Element>, isMany: (Part) -> Bool,
        isOne: (Part, Element) -> Bool
    ) -> Bool {
        var (at, position) = (pattern.startIndex, text.startIndex)
        var retry: (at: Int, position: Int)?
        while position < text.endIndex {
            if at < pattern.endIndex, isMany(pattern[at]) {
                retry = (at + 1, position)
                at += 1
            } else if at < pattern.endIndex, isOne(pattern[at], text[position]) {
                at += 1
                position += 1
            } else if let (next, start) = retry {
                retry = (next, start + 1)
                (at, position) = (next, start + 1)
            } else {
                return false
            }
        }
        return pattern[at...].allSatisfy(isMany)
    }

    // MARK: Names

    private enum Glyph: Sendable {
        case byte(UInt8)
        case any
        case many
        case set([ClosedRange<UInt8>], isNegated: Bool)
    }

    private static func matches(_ pattern: ArraySlice<Glyph>, _ name: [UInt8]) -> Bool {
        match(
            pattern, name[...],
            isMany: { if case .many = $0 { true } else { false } },
            isOne: { glyph, byte in
                switch glyph {
                case .byte(let expected): expected == byte
                case .any: true
                case .many: false
                case .set(let ranges, let isNegated):
                    ranges.contains { $0.contains(byte) } != isNegated
                }
            })
    }

    private static func glyphs(_ pattern: [UInt8]) -> [Glyph] {
        var glyphs: [Glyph] = []
        var at = 0
        while at < pattern.count {
            switch pattern[at] {
            case 0x2A: glyphs.append(.many)
            case 0x3F: glyphs.append(.any)
            case 0x5C where at + 1 < pattern.count:
                at += 1
                glyphs.append(.byte(pattern[at]))
            case 0x5B:
                if let (set, end) = set(pattern, from: at + 1) {
                    glyphs.append(set)
                    at = end
                } else {
                    glyphs.append(.byte(0x5B))
                }
            default: glyphs.append(.byte(pattern[at]))
            }
            at += 1
        }
        return glyphs
    }

    /// Parses the set after a `[`; returns it and the position of its `]`, or nil when that is missing.
    private static func set(_ pattern: [UInt8], from start: Int) -> (Glyph, end: Int)? {
        var at = start
        var ranges: [ClosedRange<UInt8>] = []
        let isNegated = at < pattern.count && (pattern[at] == 0x21 || pattern[at] == 0x5E)
        if isNegated { at += 1 }
        let first = at
        while at < pattern.count {
            if pattern[at] == 0x5D, at > first { return (.set(ranges, isNegated: isNegated), at) }
            if pattern[at] == 0x5C, at + 1 < pattern.count { at += 1 }
            let low = pattern[at]
            if at + 2 < pattern.count, pattern[at + 1] == 0x2D, pattern[at + 2] != 0x5D {
                at += 2
                if pattern[at] == 0x5C, at + 1 < pattern.count { at += 1 }
                if low <= pattern[at] { ranges.append(low...pattern[at]) }
            } else {
                ranges.append(low...low)
            }
            at += 1
        }
        return nil
    }
}
