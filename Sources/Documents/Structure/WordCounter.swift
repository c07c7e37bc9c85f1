/// Counts the words of a text that arrives in pieces, which may end within a word.
///
/// A word is what stands between white space and has a letter, a digit or a character beyond ASCII.
struct WordCounter: Equatable {
    /// How many there were.
    private(set) var count = 0
    private var isInside = false

    /// Counts the words of the next piece.
    mutating func add(_ text: String) { for byte in text.utf8 { add(byte) } }

    /// Counts in one byte more of a text in UTF-8.
    mutating func add(_ byte: UInt8) {
        if byte == 0x20 || byte &- 0x09 < 5 {
            isInside = false
        } else if !isInside, Self.isPart(byte) {
            count += 1
            isInside = true
        }
    }

    private static func isPart(_ byte: UInt8) -> Bool {
        byte >= 0x80 || (0x61...0x7A).contains(byte | 0x20) || (0x30...0x39).contains(byte)
    }

    /// Ends the word at hand.
    mutating func endWord() { isInside = false }

    /// The words of a text in UTF-8.
    static func count(_ text: some Sequence<UInt8>) -> Int {
        var counter = WordCounter()
        for byte in text { counter.add(byte) }
        return counter.count
    }
}
