/// Finds where inline markup begins and ends.
extension RSTInline {
    /// Whether the characters at an index may begin markup.
    func beginsMarkup(_ index: Int, length: Int) -> Bool {
        guard let next = unit(index + length), !Self.isSpace(next) else { return false }
        guard index > 0 else { return true }
        let previous = units[index - 1]
        guard Self.mayPrecede(previous) else { return false }
        // A quoted mark, as in "*", is text.
        let closing = Self.closing(previous)
        return closing == nil || closing != next
    }

    /// Returns where markup of a kind ends; nil if it never does.
    mutating func end(of kind: Kind, from start: Int) -> Int? {
        guard !unended.contains(kind) else { return nil }
        var index = start + 1
        while index < units.count {
            if isEnd(of: kind, index) { return index }
            index += 1
        }
        unended.insert(kind)
        return nil
    }

    func isEnd(of kind: Kind, _ index: Int) -> Bool {
        let unit = units[index]
        switch kind {
        case .emphasis:
            return unit == Self.star && !endsInSpace(index) && endsMarkup(index + 1)
        case .strong:
            return unit == Self.star && self.unit(index + 1) == Self.star && !endsInSpace(index)
                && endsMarkup(index + 2)
        case .literal:
            // A backslash is a character inside a literal.
            guard unit & ~Self.escape == Self.backquote, self.unit(index + 1) == Self.backquote
            else { return false }
            return !Self.isSpace(units[index - 1] & ~Self.escape) && endsMarkup(index + 2)
        case .substitution:
            guard unit == Self.bar, !endsInSpace(index) else { return false }
            return endsMarkup(index + 1) || isReferenceEnd(index + 1)
        case .interpreted:
            guard unit == Self.backquote, !endsInSpace(index) else { return false }
            return endsMarkup(index + 1) || isReferenceEnd(index + 1)
                || role(index + 1, isSuffix: true) != nil
        }
    }

    func endsInSpace(_ index: Int) -> Bool { Self.isSpace(units[index - 1]) }

    /// Whether `_` or `__` follows, and then the end of the markup.
    func isReferenceEnd(_ index: Int) -> Bool {
        guard unit(index) == Self.underscore else { return false }
        return endsMarkup(unit(index + 1) == Self.underscore ? index + 2 : index + 1)
    }

    /// Parses the name of a role between colons; returns it and the index after it. A role stands before or after
    /// text in backquotes.
    func role(_ start: Int, isSuffix: Bool = false) -> (name: String, end: Int)? {
        guard unit(start) == Self.colon, isSuffix || start == 0 || Self.mayPrecede(units[start - 1])
        else { return nil }
        var end = start + 1
        while end < units.count, end - start < 64 {
            let unit = units[end]
            let isJoint = Self.joinsName(unit)
            guard Self.isWord(unit) || isJoint else { return nil }
            if unit == Self.colon {
                if isSuffix ? endsMarkup(end + 1) : self.unit(end + 1) == Self.backquote { break }
            }
            end += 1
        }
        guard unit(end) == Self.colon, end > start + 1 else { return nil }
        if !isSuffix, unit(end + 2).map(Self.isSpace) ?? true { return nil }
        return (Self.plain(units[(start + 1)..<end]), end + 1)
    }

    func endsMarkup(_ index: Int) -> Bool {
        guard index < units.count else { return true }
        let unit = units[index]
        if unit & Self.escape != 0 || Self.isSpace(unit) { return true }
        switch unit {
        case 0x27, 0x22, 0x29, 0x5D, 0x7D, 0x3E, 0x2D, 0x2F, 0x3A, 0x2E, 0x2C, 0x3B, 0x21, 0x3F:
            return true
        default: return unit >= 0x80 && Self.isPunctuation(unit)
        }
    }

    static func mayPrecede(_ unit: UInt32) -> Bool {
        let unit = unit & ~escape
        switch unit {
        case 0x27, 0x22, 0x28, 0x5B, 0x7B, 0x3C, 0x2D, 0x2F, 0x3A: return true
        default: return isSpace(unit) || unit >= 0x80 && isPunctuation(unit)
        }
    }

    static func isPunctuation(_ unit: UInt32) -> Bool {
        switch Unicode.Scalar(unit)?.properties.generalCategory {
        case .openPunctuation, .closePunctuation, .initialPunctuation, .finalPunctuation,
            .dashPunctuation, .otherPunctuation:
            true
        default: false
        }
    }

    /// Returns the mark that closes an opening bracket or quotation mark.
    static func closing(_ unit: UInt32) -> UInt32? {
        switch unit {
        case 0x22, 0x27: unit
        case 0x28: 0x29
        case 0x5B: 0x5D
        case 0x7B: 0x7D
        case 0x3C: 0x3E
        case 0x2018, 0x201C: unit + 1
        case 0xAB: 0xBB
        default: nil
        }
    }

    /// Whether a character is a letter or a digit.
    static func isWord(_ unit: UInt32) -> Bool {
        switch unit {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        case 0..<0x80: false
        default:
            Unicode.Scalar(unit).map { $0.properties.isAlphabetic } ?? false
        }
    }

    /// Whether a character may join letters in a name.
    static func joinsName(_ unit: UInt32) -> Bool {
        switch unit {
        case 0x2D, 0x2E, 0x5F, 0x2B, 0x3A: true
        default: false
        }
    }
}
