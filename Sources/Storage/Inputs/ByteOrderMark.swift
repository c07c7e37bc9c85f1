/// The mark that some editors put at the head of a UTF-8 text. It is no part of what the text says.
public enum ByteOrderMark {
    /// U+FEFF in UTF-8.
    public static let bytes: [UInt8] = [0xEF, 0xBB, 0xBF]

    /// A text without the mark, where it begins with one.
    public static func skipped(_ text: [UInt8]) -> [UInt8] {
        text.starts(with: bytes) ? Array(text.dropFirst(bytes.count)) : text
    }
}
