/// How the key of a row is made of the values of its key fields, so that different values give different keys.
///
/// A whole number is written in digits, and a text as it is, but for two things. A text that would read as a whole
/// number is put in double quotes, and so is one that would read as such a text. Where several values are joined, `#`
/// and `\\` in a text get a `\\` before them.
public enum RowKey {
    /// What stands between the values.
    static let separator = "#"

    /// What a text adds to a key.
    static func part(_ text: String, isComposite: Bool) -> String {
        guard readsAsNumber(text.utf8[...]) else {
            return isComposite && text.utf8.contains(where: { isEscaped($0) })
                ? text.unicodeScalars.reduce(into: "") { result, scalar in
                    if scalar.isASCII, isEscaped(UInt8(scalar.value)) { result += "\\" }
                    result.unicodeScalars.append(scalar)
                } : text
        }
        return quoted(text)
    }

    /// Whether a byte needs an escape where several values are joined.
    static func isEscaped(_ byte: UInt8) -> Bool { byte == 0x23 || byte == 0x5C }

    /// The key of the text that is spelled as a whole number is, if `key` is such a number.
    public static func ofText(spelledAs key: String) -> String? {
        readsAsNumber(key.utf8[...]) ? quoted(key) : nil
    }

    private static func quoted(_ text: String) -> String { "\"\(text)\"" }

    /// Whether a text is what a whole number is written as, in any number of pairs of quotes.
    static func readsAsNumber(_ text: some BidirectionalCollection<UInt8>) -> Bool {
        var rest = text[...]
        while rest.count > 2, rest.first == 0x22, rest.last == 0x22 {
            rest = rest.dropFirst().dropLast()
        }
        if rest.first == 0x2D { rest = rest.dropFirst() }
        guard let first = rest.first, rest.allSatisfy({ 0x30...0x39 ~= $0 }) else { return false }
        return first != 0x30 || rest.count == 1
    }
}
