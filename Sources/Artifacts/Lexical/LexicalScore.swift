/// One value each for rows, sections and documents.
struct LexicalLevels<Value: Sendable>: Sendable {
    var row: Value
    var section: Value
    var document: Value

    /// Transforms each of the three values.
    func map<Other>(_ transform: (Value) -> Other) -> LexicalLevels<Other> {
        LexicalLevels<Other>(
            row: transform(row), section: transform(section), document: transform(document))
    }

    /// Pairs each value with the corresponding value of another instance.
    func with<Second>(_ other: LexicalLevels<Second>) -> LexicalLevels<(Value, Second)> {
        LexicalLevels<(Value, Second)>(
            row: (row, other.row), section: (section, other.section),
            document: (document, other.document))
    }
}

/// The constants and formulas of the lexical score.
enum LexicalScore {
    static let k1: Float = 1.2
    static let b: Float = 0.75
    /// The weight of a word in the headings and in the title, relative to one in the text.
    static let headings: Float = 1
    static let title: Float = 0.5
    /// The weights, in a row's score, of the scores of its section and its document.
    static let section: Float = 0.3
    static let document: Float = 0.2

    static func length(_ words: LexicalSegment.FieldCounts) -> Float {
        Float(words.text) + headings * Float(words.headings) + title * Float(words.title)
    }

    @inline(__always)
    static func frequency(_ text: UInt8, above: UInt8) -> Float {
        Float(text) + headings * Float(above & 0x0F) + title * Float(above >> 4)
    }

    /// The inverse document frequency of a term that `count` of `all` rows, sections or documents contain.
    ///
    /// It is ln(1 + (n - d + 1/2) / (d + 1/2)) for d of n.
    static func weight(_ count: Int, of all: Int) -> Float {
        let (total, found) = (Double(all), Double(min(count, all)))
        return Float(PortableMath.log(1 + (total - found + 0.5) / (found + 0.5)))
    }
}
