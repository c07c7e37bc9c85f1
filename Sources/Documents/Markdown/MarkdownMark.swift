/// Characters that no text may have, by which what is put into Markdown is known again behind its parser.
enum MarkdownMark {
    /// U+FDD0, which is no character. It stands before a paragraph that only announces what follows: the title of a note, a tab, a term.
    static let label: [UInt8] = [0xEF, 0xB7, 0x90]

    /// A text without such characters of its own.
    static func removed(from text: String) -> String {
        func isMark(_ scalar: Unicode.Scalar) -> Bool { scalar.value == 0xFDD0 }
        guard text.unicodeScalars.contains(where: isMark) else { return text }
        var scalars = text.unicodeScalars
        scalars.removeAll(where: isMark)
        return String(scalars)
    }
}
