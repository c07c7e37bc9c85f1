/// A shell pattern for paths.
///
/// `*` and `?` match any characters and any single character, but never `/`; `[a-z]` and `[!a-z]` match one character
/// of a set; `{a,b}` matches either alternative; a component `**` matches any number of folders, including none. A
/// backslash makes the next ASCII character literal, unless that is a letter or a digit. The file extension matches in
/// upper and lower case: `*.md` matches `README.MD`.
public struct GlobPattern: Hashable, Sendable {
    /// The pattern as written.
    public let text: String
    /// The alternatives that braces expand to; a path needs to match only one.
    private let alternatives: [[Component]]

    /// A part of a pattern between slashes.
    private enum Component: Hashable {
        case anyFolders
        case name([GlobElement])
    }

    /// Why a text is not a pattern.
    public struct Malformed: Error, Hashable, Sendable {
        /// The predicate of a sentence whose subject is the pattern.
        public let reason: String
    }

    /// The maximum number of bytes of a pattern.
    private static let byteLimit = 4096

    /// A path that is split once and then matched against many patterns.
    struct Path {
        fileprivate let names: [[Unicode.Scalar]]

        /// Splits a path at its slashes.
        init(_ path: String) { names = path.unicodeScalars.split(separator: "/").map(Array.init) }
    }

    /// Parses a pattern; ignores a leading `./` or `/`.
    ///
    /// - Throws: ``Malformed``, with the reason.
    public init(_ text: String) throws(Malformed) {
        self.text = text
        guard !text.isEmpty else { throw Malformed(reason: "is empty") }
        guard text.utf8.count <= Self.byteLimit else { throw Malformed(reason: "is too long") }
        guard text.utf8.first != UInt8(ascii: "!") else {
            throw Malformed(
                reason:
                    "begins with !, which excludes nothing: use exclude, or ? to match the character"
            )
        }
        alternatives = try GlobBraces.expand(text).map { (elements) throws(Malformed) in
            try Self.components(of: elements)
        }
    }

    /// The pattern of all files with the given file extension, which must be alphanumeric, in any folder.
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

    /// Whether the pattern matches a path whose components are separated by single slashes.
    public func matches(_ path: String) -> Bool { matches(Path(path)) }

    /// Whether the pattern matches a path.
    func matches(_ path: Path) -> Bool { alternatives.contains { Self.fits(path.names, $0) } }

    private static func fits(_ names: [[Unicode.Scalar]], _ components: [Component]) -> Bool {
        // reachable[i]: the components so far match the first i names.
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

/// An element of a pattern, which matches one character or any number of them.
enum GlobElement: Hashable, Sendable {
    /// Any characters of a name, or none.
    case many
    /// Any single character of a name.
    case any
    /// A literal character.
    case one(Unicode.Scalar)
    /// A character of the file extension, which matches in upper and lower case.
    case oneInAnyCase(Unicode.Scalar)
    /// A character within some ranges, or outside all of them.
    case oneOf([ClosedRange<Unicode.Scalar>], isNegated: Bool)
    /// The separator of names.
    case slash

    /// Reads the element at a position, and advances the position past it.
    static func read(
        _ text: [Unicode.Scalar], _ at: inout Int
    ) throws(GlobPattern.Malformed) -> GlobElement {
        let scalar = text[at]
        at += 1
        switch scalar {
        case "*": return .many
        case "?": return .any
        case "/": return .slash
        case "!" where at < text.count && text[at] == "(":
            throw GlobPattern.Malformed(reason: "has !(...), which is not supported: use exclude")
        case "[": return try readSet(text, &at)
        case "\\":
            guard at < text.count, text[at].isASCII, !text[at].properties.isAlphabetic,
                !("0"..."9").contains(text[at])
            else {
                throw GlobPattern.Malformed(
                    reason: "has a backslash that escapes nothing: separate folders with /")
            }
            at += 1
            return .one(text[at - 1])
        default: return .one(scalar)
        }
    }

    /// Reads a set after its `[`.
    private static func readSet(
        _ text: [Unicode.Scalar], _ at: inout Int
    ) throws(GlobPattern.Malformed) -> GlobElement {
        var isNegated = false
        if at < text.count, text[at] == "!" || text[at] == "^" {
            isNegated = true
            at += 1
        }
        var ranges: [ClosedRange<Unicode.Scalar>] = []
        while at < text.count, text[at] != "]" || ranges.isEmpty {
            let first = try readMember(text, &at)
            guard at + 1 < text.count, text[at] == "-", text[at + 1] != "]" else {
                ranges.append(first...first)
                continue
            }
            at += 1
            let last = try readMember(text, &at)
            guard first <= last else {
                throw GlobPattern.Malformed(
                    reason: "has a range that ends before it begins: [\(first)-\(last)]")
            }
            ranges.append(first...last)
        }
        guard at < text.count else {
            throw GlobPattern.Malformed(
                reason: "has a [ without a ]: write \\[ for a literal [")
        }
        at += 1
        return .oneOf(ranges, isNegated: isNegated)
    }

    private static func readMember(
        _ text: [Unicode.Scalar], _ at: inout Int
    ) throws(GlobPattern.Malformed) -> Unicode.Scalar {
        if text[at] == "\\", at + 1 < text.count { at += 1 }
        guard text[at] != "/" else {
            throw GlobPattern.Malformed(reason: "has a / between [ and ]")
        }
        at += 1
        return text[at - 1]
    }

    /// Makes the letters after the last dot of a name match in upper and lower case.
    static func ignoringCaseOfEnding(_ name: [GlobElement]) -> [GlobElement] {
        guard let dot = name.lastIndex(of: .one(".")) else { return name }
        return name.enumerated().map { index, element in
            guard index > dot, case .one(let scalar) = element else { return element }
            return .oneInAnyCase(folded(scalar))
        }
    }

    private static func folded(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        ("A"..."Z").contains(scalar) ? Unicode.Scalar(UInt8(scalar.value) | 0x20) : scalar
    }

    /// Whether the element matches a character.
    private func fits(_ scalar: Unicode.Scalar) -> Bool {
        switch self {
        case .any: true
        case .one(let own): own == scalar
        case .oneInAnyCase(let own): own == Self.folded(scalar)
        case .oneOf(let ranges, let isNegated):
            ranges.contains { $0.contains(scalar) } != isNegated
        case .many, .slash: false
        }
    }

    /// Matches one name without recursion: after a mismatch, the last star takes one more character.
    static func fits(_ name: [Unicode.Scalar], _ pattern: [GlobElement]) -> Bool {
        var at = 0
        var next = 0
        var retry: (pattern: Int, name: Int)?
        while at < name.count {
            if next < pattern.count, pattern[next] == .many {
                retry = (next + 1, at)
                next += 1
            } else if next < pattern.count, pattern[next].fits(name[at]) {
                at += 1
                next += 1
            } else if let last = retry {
                retry = (last.pattern, last.name + 1)
                next = last.pattern
                at = last.name + 1
            } else {
                return false
            }
        }
        return pattern[next...].allSatisfy { $0 == .many }
    }
}

/// Expands the braces of a pattern into alternatives.
enum GlobBraces {
    /// The most alternatives of a pattern.
    private static let alternativeLimit = 256
    /// The maximum number of elements of all alternatives together.
    private static let elementLimit = 16_384

    /// An open brace: the text before it, and the alternatives that are complete.
    private struct Level {
        let before: [[GlobElement]]
        var complete: [[GlobElement]] = []
        var hasComma = false
    }

    /// The alternatives of a pattern, with nested braces expanded.
    static func expand(_ text: String) throws(GlobPattern.Malformed) -> [[GlobElement]] {
        let scalars = Array(text.unicodeScalars)
        var open: [Level] = []
        var present: [[GlobElement]] = [[]]
        var at = 0
        while at < scalars.count {
            switch scalars[at] {
            case "{":
                open.append(Level(before: present))
                present = [[]]
                at += 1
            case "," where !open.isEmpty:
                open[open.count - 1].complete += present
                open[open.count - 1].hasComma = true
                present = [[]]
                at += 1
            case "}":
                guard let level = open.popLast() else {
                    throw GlobPattern.Malformed(
                        reason: "has a } without a {: write \\} for a literal }")
                }
                guard level.hasComma else {
                    throw GlobPattern.Malformed(
                        reason: "has braces without a comma: write \\{ for a literal {")
                }
                present = try product(level.before, level.complete + present)
                at += 1
            default:
                let element = try GlobElement.read(scalars, &at)
                for index in present.indices { present[index].append(element) }
            }
            try check(open.reduce(present.count) { $0 + $1.complete.count }, present)
        }
        guard open.isEmpty else {
            throw GlobPattern.Malformed(
                reason: "has a { without a }: write \\{ for a literal {")
        }
        return present
    }

    private static func product(
        _ before: [[GlobElement]], _ after: [[GlobElement]]
    ) throws(GlobPattern.Malformed) -> [[GlobElement]] {
        try check(before.count * after.count, [])
        return before.flatMap { start in after.map { start + $0 } }
    }

    private static func check(
        _ count: Int, _ present: [[GlobElement]]
    ) throws(GlobPattern.Malformed) {
        guard count <= alternativeLimit, present.count * (present.first?.count ?? 0) <= elementLimit
        else { throw GlobPattern.Malformed(reason: "has too many alternatives") }
    }
}
