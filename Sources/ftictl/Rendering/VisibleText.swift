import CommandSupport

/// Content on its way to a terminal, part by part: what the terminal would obey is spelled as escapes.
struct VisibleText {
    /// The beginning of a line whose end is not there yet.
    private var rest: [UInt8] = []
    /// Longer beginnings are shown as they are.
    private static let limit = 64 << 10

    /// Takes a part of the content, and gives the bytes to show by now.
    mutating func take(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        rest += bytes
        guard
            let end = rest.lastIndex(of: 0x0A).map({ $0 + 1 })
                ?? (rest.count > Self.limit ? rest.count : nil)
        else { return [] }
        let shown = Self.shown(rest[..<end])
        rest.removeFirst(end)
        return shown
    }

    /// Gives what is left at the end.
    mutating func finish() -> [UInt8] {
        let shown = Self.shown(rest[...])
        rest = []
        return shown
    }

    private static func shown(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        Array(String(decoding: bytes, as: UTF8.self).printable(multiline: true).utf8)
    }
}
