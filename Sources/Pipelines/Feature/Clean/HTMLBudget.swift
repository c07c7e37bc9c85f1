/// How much of a page may be parsed: as far as its tree stays within memory, and its tags within time.
///
/// libxml2 takes some 270 bytes for an element with text and for an attribute, up to seventy times what they are in the
/// page: a page of 60 MiB, cut at the limit, was measured to take 290 MiB beside itself and without one 4.7 GB. And it
/// compares each attribute with all others of its tag.
package enum HTMLBudget {
    /// The most elements and attributes of a page: the largest manuals on one page have a third of it.
    package static let nodeLimit = 1_000_000
    /// The most attributes of one tag.
    package static let attributeLimit = 512

    /// How many bytes of a page are within the limits; all of them, for pages that people write.
    ///
    /// Tags are told from text, comments and scripts as libxml2 does: a quote counts only where a value begins.
    package static func prefix(of page: [UInt8], nodes limit: Int = nodeLimit) -> Int {
        let bytes = page.span
        var nodes = 0
        var at = 0
        while at < bytes.count {
            guard bytes[at] == UInt8(ascii: "<") else {
                at += 1
                continue
            }
            let start = at
            if follows("<!--", at, bytes) {
                at = end(of: "-->", from: at + 4, bytes)
                continue
            }
            // An end makes no element, except where a paragraph was not begun.
            let isEnd = follows("</", at, bytes) && !isElement("p", at + 2, bytes)
            nodes += isEnd ? 0 : 1
            guard let attributes = tag(&at, bytes), nodes + attributes <= limit else {
                return start
            }
            nodes += attributes
            guard follows("s", start + 1, bytes) else { continue }
            for name in ["script", "style"] where isElement(name, start + 1, bytes) {
                at = end(of: "</\(name)", from: at, bytes, isIncluded: false)
            }
        }
        return bytes.count
    }

    /// Whether a tag has this name, and no longer one.
    private static func isElement(
        _ name: String, _ at: Int, _ bytes: borrowing Span<UInt8>
    ) -> Bool {
        let end = at + name.utf8.count
        guard follows(name, at, bytes), end < bytes.count else { return false }
        return bytes[end] <= 0x20 || bytes[end] == UInt8(ascii: "/")
            || bytes[end] == UInt8(ascii: ">")
    }

    /// Passes a tag and counts its attributes; nil when there are too many.
    private static func tag(_ at: inout Int, _ bytes: borrowing Span<UInt8>) -> Int? {
        var attributes = 0
        var wasBreak = false
        at += follows("</", at, bytes) ? 2 : 1
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            switch byte {
            case UInt8(ascii: ">"): return attributes
            case UInt8(ascii: "="):
                value(&at, bytes)
                wasBreak = true
            case 0...0x20, UInt8(ascii: "/"): wasBreak = true
            default:
                if wasBreak { attributes += 1 }
                wasBreak = false
                if attributes > attributeLimit { return nil }
            }
        }
        return attributes
    }

    /// Passes the value of an attribute.
    private static func value(_ at: inout Int, _ bytes: borrowing Span<UInt8>) {
        while at < bytes.count, bytes[at] <= 0x20 { at += 1 }
        guard at < bytes.count else { return }
        let quote = bytes[at]
        if quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") {
            at += 1
            while at < bytes.count, bytes[at] != quote { at += 1 }
            at += 1
        } else {
            while at < bytes.count, bytes[at] > 0x20, bytes[at] != UInt8(ascii: ">") { at += 1 }
        }
    }

    /// Whether bytes are a word of ASCII, small and capital letters alike.
    private static func follows(
        _ word: String, _ at: Int, _ bytes: borrowing Span<UInt8>
    ) -> Bool {
        var place = at
        for letter in word.utf8 {
            guard place < bytes.count else { return false }
            let byte = bytes[place]
            guard byte == letter || 0x41...0x5A ~= byte && byte | 0x20 == letter else {
                return false
            }
            place += 1
        }
        return true
    }

    /// Where a word ends, or begins; the end of the page when it does not come.
    private static func end(
        of word: String, from start: Int, _ bytes: borrowing Span<UInt8>, isIncluded: Bool = true
    ) -> Int {
        var at = start
        let first = word.utf8.first ?? 0
        while at < bytes.count {
            if bytes[at] == first, follows(word, at, bytes) {
                return isIncluded ? at + word.utf8.count : at
            }
            at += 1
        }
        return bytes.count
    }
}
