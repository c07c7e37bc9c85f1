/// Scripts, as far as words in them are treated, or their language is told, in different ways.
enum Script: Int, Comparable {
    case latin, cyrillic, greek, arabic, hebrew, devanagari, han, kana, hangul, thai, lao, khmer,
        myanmar, other

    /// Whether words in it are not told apart by spaces.
    var hasNoSpaces: Bool {
        switch self {
        case .han, .kana, .thai, .lao, .khmer, .myanmar: true
        default: false
        }
    }

    /// Whether letters of both can be in one word: Japanese ones have Han and kana.
    func goesOn(with next: Script) -> Bool {
        self == next || group == next.group
    }

    private var group: Int {
        switch self {
        case .han, .kana: 1
        case .hangul, .thai, .lao, .khmer, .myanmar: 2 + rawValue
        default: 0
        }
    }

    /// The script of a letter.
    init(of scalar: UInt32) {
        self =
            switch scalar {
            case ..<0x0250, 0x1E00..<0x1F00: .latin
            case 0x0370..<0x0400, 0x1F00..<0x2000: .greek
            case 0x0400..<0x0530: .cyrillic
            case 0x0590..<0x0600: .hebrew
            case 0x0600..<0x0780, 0x08A0..<0x0900: .arabic
            case 0x0900..<0x0980: .devanagari
            case 0x0E00..<0x0E80: .thai
            case 0x0E80..<0x0F00: .lao
            case 0x1000..<0x10A0, 0xA9E0..<0xAA00, 0xAA60..<0xAA80: .myanmar
            case 0x1780..<0x1800: .khmer
            case 0x1100..<0x1200, 0x3130..<0x3190, 0xA960..<0xA980, 0xAC00..<0xD800: .hangul
            case 0x3040..<0x3100, 0x31F0..<0x3200, 0x1B000..<0x1B170: .kana
            case 0x2E80..<0x2FE0, 0x3005...0x3007, 0x3021...0x3029, 0x3100..<0x3130,
                0x3400..<0x4DC0, 0x4E00..<0xA000, 0xF900..<0xFB00, 0x20000..<0x32000:
                .han
            default: .other
            }
    }

    static func < (left: Script, right: Script) -> Bool { left.rawValue < right.rawValue }
}
