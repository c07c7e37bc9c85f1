internal import CUTF8Proc

/// Properties of single characters, as `tokenizers` sees them.
enum BertCharacters {
    /// Sets of characters.
    struct Sets: OptionSet {
        let rawValue: UInt8

        static let removed = Sets(rawValue: 1)
        static let punctuation = Sets(rawValue: 2)
        static let nonspacing = Sets(rawValue: 4)
        static let combining = Sets(rawValue: 8)
        static let space = Sets(rawValue: 16)
        static let ideograph = Sets(rawValue: 32)
    }

    /// The sets to which a character belongs.
    @inline(__always)
    static func sets(of scalar: UInt32) -> Sets {
        if scalar < tableSize { return Sets(rawValue: table[Int(scalar)]) }
        var sets: Sets = []
        for (set, ranges) in ranges where contains(ranges, scalar) { sets.insert(set) }
        return sets
    }

    /// The canonical combining class that orders marks in normalization forms.
    static func combiningClass(_ scalar: UInt32) -> Int {
        // All other characters, and so the marks that were added later, have class 0.
        guard scalar >= 0x300, sets(of: scalar).contains(.combining) else { return 0 }
        return Int(utf8proc_get_property(Int32(bitPattern: scalar)).pointee.combining_class)
    }

    /// Whether a character has a decomposition today that `tokenizers` does not know.
    static func isLater(_ scalar: UInt32) -> Bool { contains(laterDecompositions, scalar) }

    /// Whether a character is of a script whose compositions `tokenizers` does not know.
    static func hasLaterCompositions(_ scalar: UInt32) -> Bool {
        contains(laterScripts, scalar)
    }

    /// Passes the lowercase characters of a character to `body`, without regard to its neighbours.
    @inline(__always)
    static func lowercase(_ scalar: UInt32, _ body: (UInt32) -> Void) {
        switch scalar {
        case ..<0x80: body(scalar &- 0x41 < 26 ? scalar | 0x20 : scalar)
        case 0x130:
            body(0x69)
            body(0x307)
        case ..<0x1C80: body(UInt32(bitPattern: utf8proc_tolower(Int32(bitPattern: scalar))))
        // No capitals.
        case 0x2E00..<0xA640, 0xAC00..<0xFF21, 0x20000...: body(scalar)
        // Swift knows capitals that utf8proc does not know yet.
        default:
            guard let character = Unicode.Scalar(scalar) else { return body(scalar) }
            for lower in character.properties.lowercaseMapping.unicodeScalars { body(lower.value) }
        }
    }

    /// Whether the class `\w` of regular expressions contains a character.
    static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        let properties = scalar.properties
        if properties.isAlphabetic || properties.isJoinControl { return true }
        switch properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation:
            return true
        default: return false
        }
    }

    // MARK: Tables

    private static let tableSize: UInt32 = 0x20000

    private static let ranges: [(Sets, [UInt32])] = [
        (.removed, CharacterRanges.removed), (.punctuation, CharacterRanges.punctuation),
        (.nonspacing, CharacterRanges.nonspacing), (.combining, CharacterRanges.combining),
        (.space, spaces), (.ideograph, ideographs),
    ]

    /// The property White_Space.
    private static let spaces: [UInt32] = [
        0x9, 0xD, 0x20, 0x20, 0x85, 0x85, 0xA0, 0xA0, 0x1680, 0x1680, 0x2000, 0x200A,
        0x2028, 0x2029, 0x202F, 0x202F, 0x205F, 0x205F, 0x3000, 0x3000,
    ]

    /// The blocks of ideographs that the original BERT separates. Its list leaves a part of extension E out.
    private static let ideographs: [UInt32] = [
        0x3400, 0x4DBF, 0x4E00, 0x9FFF, 0xF900, 0xFAFF, 0x20000, 0x2A6DF, 0x2A700, 0x2B81F,
        0x2B920, 0x2CEAF, 0x2F800, 0x2FA1F,
    ]

    /// Characters that were added, or got a decomposition, after Unicode 9.
    private static let laterDecompositions: [UInt32] = [
        0x32FF, 0x32FF, 0xA7F1, 0xA7F4, 0xAB69, 0xAB69, 0x105C0, 0x105FF, 0x10780, 0x107BF,
        0x11380, 0x113FF, 0x11930, 0x1195F, 0x16100, 0x1613F, 0x16D40, 0x16D7F,
        0x1CC00, 0x1CEBF, 0x1E030, 0x1E08F, 0x1F16C, 0x1F16C, 0x1FB00, 0x1FBFF,
    ]

    private static let laterScripts: [UInt32] = [
        0x105C0, 0x105FF, 0x11380, 0x113FF, 0x11930, 0x1195F, 0x16100, 0x1613F, 0x16D40, 0x16D7F,
    ]

    /// The sets of the first two planes, where all scripts are.
    private static let table: [UInt8] = {
        var table = [UInt8](repeating: 0, count: Int(tableSize))
        for (set, ranges) in ranges {
            for index in stride(from: 0, to: ranges.count, by: 2) where ranges[index] < tableSize {
                for scalar in ranges[index]...min(ranges[index + 1], tableSize - 1) {
                    table[Int(scalar)] |= set.rawValue
                }
            }
        }
        return table
    }()

    /// Whether one of the ranges contains a scalar.
    private static func contains(_ ranges: [UInt32], _ scalar: UInt32) -> Bool {
        var low = 0
        var high = ranges.count / 2
        while low < high {
            let middle = (low + high) / 2
            if ranges[2 * middle + 1] < scalar { low = middle + 1 } else { high = middle }
        }
        return 2 * low < ranges.count && ranges[2 * low] <= scalar
    }
}
