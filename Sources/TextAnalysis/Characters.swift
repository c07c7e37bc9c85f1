internal import CUTF8Proc

/// What the analysis knows of single characters, by utf8proc.
enum Characters {
    /// What a character of the form that is matched is to words.
    enum Role {
        /// Letters and digits: words begin with them and consist of them.
        case letter
        /// A combining mark: goes on with a word, and begins none.
        case mark
        /// Joins two words to an identifier when it stands alone between them.
        case joint
        case other
    }

    static func role(of scalar: UInt32) -> Role {
        if scalar < 0x80 {
            let byte = UInt8(truncatingIfNeeded: scalar)
            return isWord(byte) ? .letter : isJoint(byte) ? .joint : .other
        }
        switch category(of: scalar) {
        case UTF8PROC_CATEGORY_LU, UTF8PROC_CATEGORY_LL, UTF8PROC_CATEGORY_LT, UTF8PROC_CATEGORY_LM,
            UTF8PROC_CATEGORY_LO, UTF8PROC_CATEGORY_ND, UTF8PROC_CATEGORY_NL, UTF8PROC_CATEGORY_NO:
            return .letter
        case UTF8PROC_CATEGORY_MN, UTF8PROC_CATEGORY_MC, UTF8PROC_CATEGORY_ME: return .mark
        default: return .other
        }
    }

    /// Whether an ASCII character is a letter or a digit.
    @inline(__always)
    static func isWord(_ byte: UInt8) -> Bool {
        (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10
    }

    /// Whether an ASCII character joins words: `_`, `-` and `.`.
    @inline(__always)
    static func isJoint(_ byte: UInt8) -> Bool { byte == 0x5F || byte == 0x2D || byte == 0x2E }

    static func isUpper(_ scalar: UInt32) -> Bool {
        if scalar < 0x80 { return scalar &- 0x41 < 26 }
        let category = category(of: scalar)
        return category == UTF8PROC_CATEGORY_LU || category == UTF8PROC_CATEGORY_LT
    }

    static func isLower(_ scalar: UInt32) -> Bool {
        scalar < 0x80 ? scalar &- 0x61 < 26 : category(of: scalar) == UTF8PROC_CATEGORY_LL
    }

    private static func category(of scalar: UInt32) -> utf8proc_category_t {
        utf8proc_category(Int32(bitPattern: scalar))
    }

    static func combiningClass(_ scalar: Int32) -> Int {
        Int(utf8proc_get_property(scalar).pointee.combining_class)
    }

    /// Whether what stands before a scalar stays the same in every form, whatever the scalar and
    /// its followers are: not before marks, nor before letters of Hangul that compose to syllables,
    /// nor before what is ignored.
    static func beginsStretch(_ scalar: UInt32) -> Bool {
        switch scalar {
        case ..<0x300: return scalar != 0xAD
        case 0x400..<0x483, 0x2010...0x2027, 0x3041..<0x3097, 0x30A1...0x30FC, 0x4E00...0x9FFF,
            0xAC00...0xD7A3:
            return true
        // utf8proc 2.8 drops this vowel after a syllable: it takes it for a final.
        case 0x11A7: return true
        // Vowels and finals of Hangul, also those that stand for themselves, and marks of half
        // width.
        case 0x1160...0x11FF, 0x3130...0x318F, 0xFF9E...0xFFDF: return false
        default:
            let property = utf8proc_get_property(Int32(bitPattern: scalar)).pointee
            return property.combining_class == 0 && property.ignorable == 0
                && role(of: scalar) != .mark
        }
    }

    /// Whether a scalar is in normal form C wherever it stands: most that texts have, and some that
    /// are not counted here.
    static func isComposed(_ scalar: UInt32) -> Bool {
        switch scalar {
        case ..<0x300, 0x3A3...0x481, 0x2010...0x2027, 0x20A0...0x20BF, 0x2190...0x2199,
            0x2500...0x257F, 0x3000...0x3029, 0x3041...0x3096, 0x309D...0x30FF, 0x4E00...0x9FFF,
            0xAC00...0xD7A3, 0xFF01...0xFF60:
            true
        default: false
        }
    }

    /// The form of a scalar that is matched, where it is one scalar that is part of words and
    /// followed by another stretch; 0 where more has to be done to find it.
    static func simpleForm(of scalar: UInt32) -> UInt32 {
        switch scalar {
        case 0x80..<0x800: UInt32(simpleForms[Int(scalar) - 0x80])
        case 0x3041..<0x3097, 0x30A1...0x30FA, 0x30FC, 0x4E00...0x9FFF, 0xAC00...0xD7A3: scalar
        default: 0
        }
    }

    private static let simpleForms: [UInt16] = {
        var normalizer = Normalizer(.matched)
        return (0x80..<0x800).map { (scalar: UInt32) in
            guard beginsStretch(scalar) else { return 0 }
            var form: [UInt32] = []
            normalizer.append(scalar)
            normalizer.finish { form.append($0) }
            guard form.count == 1, role(of: form[0]) == .letter else { return 0 }
            return UInt16(exactly: form[0]) ?? 0
        }
    }()

    // MARK: UTF-8

    /// The scalar of valid UTF-8 at a place, and how many bytes it has.
    @inline(__always)
    static func scalar(_ bytes: Span<UInt8>, at place: Int) -> (value: UInt32, length: Int) {
        let first = UInt32(bytes[place])
        if first < 0x80 { return (first, 1) }
        let length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
        var value = first & (0x7F >> UInt32(length))
        for offset in 1..<length { value = value << 6 | UInt32(bytes[place + offset]) & 0x3F }
        return (value, length)
    }

    /// Adds the UTF-8 of a scalar.
    @inline(__always)
    static func append(_ scalar: UInt32, to bytes: inout [UInt8]) {
        func last(_ shift: UInt32) -> UInt8 {
            UInt8(truncatingIfNeeded: scalar >> shift & 0x3F) | 0x80
        }
        switch scalar {
        case ..<0x80: bytes.append(UInt8(truncatingIfNeeded: scalar))
        case ..<0x800:
            bytes.append(UInt8(truncatingIfNeeded: scalar >> 6) | 0xC0)
            bytes.append(last(0))
        case ..<0x10000:
            bytes.append(UInt8(truncatingIfNeeded: scalar >> 12) | 0xE0)
            bytes.append(last(6))
            bytes.append(last(0))
        default:
            bytes.append(UInt8(truncatingIfNeeded: scalar >> 18) | 0xF0)
            bytes.append(last(12))
            bytes.append(last(6))
            bytes.append(last(0))
        }
    }
}
