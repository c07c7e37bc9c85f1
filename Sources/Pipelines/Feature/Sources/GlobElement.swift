/// What one character of a path, or any number of them, may be.
enum GlobElement: Hashable, Sendable {
    /// Any characters of a name, or none.
    case many
    /// Any character of a name.
    case any
    /// A character.
    case one(Unicode.Scalar)
    /// A character of the ending, which fits in upper and lower case.
    case oneInAnyCase(Unicode.Scalar)
    /// A character of some ranges, or of none of them.
    case oneOf([ClosedRange<Unicode.Scalar>], isNegated: Bool)
    /// What separates names.
    case slash

    /// Reads the element at a place, and moves the place behind it.
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
            throw GlobPattern.Malformed(reason: "has !(...), which is not known: use exclude")
        case "[": return try readSet(text, &at)
        case "\\":
            guard at < text.count, text[at].isASCII, !text[at].properties.isAlphabetic,
                !("0"..."9").contains(text[at])
            else {
                throw GlobPattern.Malformed(
                    reason: "has a backslash before no mark: folders are separated by /")
            }
            at += 1
            return .one(text[at - 1])
        default: return .one(scalar)
        }
    }

    /// Reads what follows `[`.
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
                reason: "has a [ without its ]: write \\[ for the character")
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

    /// Makes the letters after the last dot of a name fit in upper and lower case.
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

    /// Whether it stands for this character.
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

    /// Matches one name without recursion: on a mismatch the last star takes one character more.
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
