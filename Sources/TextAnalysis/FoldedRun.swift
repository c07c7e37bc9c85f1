/// A run of characters in the form that is matched, which knows where each of them came from.
struct FoldedRun {
    /// A character of the text, with what folding made of it.
    private struct Piece {
        let folded: Int
        let source: Int
        let isUpper: Bool
        let isLower: Bool
    }

    /// The UTF-8 of the form.
    private(set) var bytes: [UInt8] = []
    /// Where the run ends in the text.
    private(set) var sourceEnd = 0
    private var pieces: [Piece] = []
    private var normalizer = Normalizer(.matched)

    /// Takes characters of a text from a place on, up to the first that is no part of words or
    /// identifiers, and gives the place after what was read.
    mutating func read(_ text: Span<UInt8>, from start: Int) -> Int {
        bytes.removeAll(keepingCapacity: true)
        pieces.removeAll(keepingCapacity: true)
        var at = start
        while at < text.count {
            let (scalar, length) = Characters.scalar(text, at: at)
            var end = at + length
            let endsStretch =
                end == text.count
                || Characters.beginsStretch(Characters.scalar(text, at: end).value)
            let first = bytes.count
            if endsStretch, scalar < 0x80 {
                let byte = text[at]
                guard Characters.isWord(byte) || isJoint(byte) else { break }
                bytes.append(byte &- 0x41 < 26 ? byte | 0x20 : byte)
            } else if endsStretch, case let form = Characters.simpleForm(of: scalar), form != 0 {
                Characters.append(form, to: &bytes)
            } else {
                normalizer.append(scalar)
                while end < text.count {
                    let (next, length) = Characters.scalar(text, at: end)
                    if Characters.beginsStretch(next) { break }
                    normalizer.append(next)
                    end += length
                }
                appendStretch()
                if bytes.count > first, isOther(from: first) {
                    // It ends the run and is no part of it.
                    bytes.removeLast(bytes.count - first)
                    sourceEnd = at
                    return end
                }
            }
            if bytes.count > first {
                pieces.append(
                    Piece(
                        folded: first, source: at, isUpper: Characters.isUpper(scalar),
                        isLower: Characters.isLower(scalar)))
            }
            at = end
        }
        sourceEnd = at
        return at
    }

    private func isJoint(_ byte: UInt8) -> Bool {
        // One joint joins; where there are more, the run is over.
        Characters.isJoint(byte) && bytes.last.map { !Characters.isJoint($0) } ?? false
    }

    private mutating func appendStretch() {
        normalizer.finish { scalar in
            // The hyphen that is one everywhere, and that which does not break lines.
            Characters.append(scalar == 0x2010 ? 0x2D : scalar, to: &bytes)
        }
    }

    /// Whether nothing from a place on is part of words or identifiers.
    private func isOther(from start: Int) -> Bool {
        var at = start
        while at < bytes.count {
            let (scalar, length) = Characters.scalar(bytes.span, at: at)
            if Characters.role(of: scalar) != .other { return false }
            at += length
        }
        return true
    }

    /// The place in the text of bytes of the form, one at least.
    func source(of range: Range<Int>) -> Range<Int> {
        let last = piece(at: range.upperBound - 1)
        let end = last + 1 < pieces.count ? pieces[last + 1].source : sourceEnd
        return pieces[piece(at: range.lowerBound)].source..<end
    }

    /// The last piece that begins at or before a byte of the form.
    private func piece(at place: Int) -> Int {
        var low = 0
        var high = pieces.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if pieces[middle].folded <= place { low = middle } else { high = middle }
        }
        return low
    }

    /// The parts of a word in mixed case, none where it is all one: a part begins with a capital
    /// after something else, and with the last of several capitals when a small letter follows,
    /// though not the `s` of a plural.
    func parts(of word: Range<Int>, _ parts: inout [Range<Int>]) {
        parts.removeAll(keepingCapacity: true)
        let first = piece(at: word.lowerBound)
        let end = piece(at: word.upperBound - 1) + 1
        guard end - first > 2 else { return }
        var start = word.lowerBound
        for index in first + 1..<end where pieces[index].isUpper {
            let isAfterCapital = pieces[index - 1].isUpper
            let isBeforeSmall =
                index + 1 < end && pieces[index + 1].isLower
                && !(index + 2 == end && bytes[pieces[index + 1].folded] == UInt8(ascii: "s"))
            if !isAfterCapital || isBeforeSmall {
                parts.append(start..<pieces[index].folded)
                start = pieces[index].folded
            }
        }
        if !parts.isEmpty { parts.append(start..<word.upperBound) }
    }
}
