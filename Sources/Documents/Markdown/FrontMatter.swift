internal import Objects

/// The block of YAML between `---` lines, or of TOML between `+++` lines, that may open a text.
struct FrontMatter {
    /// The value under `title`, or nil.
    let title: String?
    /// Its members, those of mappings under names joined by dots.
    let members: JSONObject
    /// The text below the block; the whole text when there is none.
    let body: Substring
    /// The block itself where it could not be understood.
    let unread: String?
    /// What of it could not be understood.
    let findings: Finding.List

    /// Longer blocks are text.
    private static let byteLimit = 64 << 10

    /// Splits a text.
    init(_ text: String) {
        guard let block = Self.block(of: text) else {
            (title, members, body, unread) = (nil, JSONObject(), text[...], nil)
            findings = Finding.List()
            return
        }
        body = block.body
        var findings = Finding.List()
        do throws(FrontMatterReader.Malformed) {
            let found =
                block.isTOML
                ? try FrontMatterReader.toml(block.text) : try FrontMatterReader.yaml(block.text)
            (title, members, unread) = (found.title, found.members, nil)
        } catch {
            (title, members, unread) = (nil, JSONObject(), WhiteSpace.lines(block.text))
            findings.add(.notUnderstood, "front matter", 1, "blocks", detail: error.reason)
        }
        self.findings = findings
    }

    /// A block at the head of a text.
    private struct Block {
        let text: String
        let isTOML: Bool
        let body: Substring
    }

    /// The block that a text begins with: it has a member, since a line of hyphens may also be a rule.
    private static func block(of text: String) -> Block? {
        var rest = text[...]
        let head = nextLine(&rest)
        guard head == "---" || head == "+++" else { return nil }
        let start = rest.startIndex
        var isMember = false
        while !rest.isEmpty {
            let lineStart = rest.startIndex
            guard text.utf8.distance(from: start, to: lineStart) <= byteLimit else { return nil }
            let line = nextLine(&rest)
            if line == head || head == "---" && line == "..." {
                guard isMember else { return nil }
                return Block(
                    text: String(text[start..<lineStart]), isTOML: head == "+++", body: rest)
            }
            isMember = isMember || isMemberLine(line)
        }
        return nil
    }

    /// Takes a line, without white space at its end.
    private static func nextLine(_ rest: inout Substring) -> Substring {
        let end = rest.utf8.firstIndex(of: 0x0A)
        var line = rest[..<(end ?? rest.endIndex)].unicodeScalars
        rest = end.map { rest[rest.utf8.index(after: $0)...] } ?? rest[rest.endIndex...]
        while let last = line.last, WhiteSpace.isSpace(last) { line.removeLast() }
        return Substring(line)
    }

    /// Whether a line has a key in its first column, and `:` or `=` behind it; or names a table.
    private static func isMemberLine(_ line: Substring) -> Bool {
        if line.utf8.first == UInt8(ascii: "["), line.utf8.last == UInt8(ascii: "]") { return true }
        let isQuoted = line.utf8.first == UInt8(ascii: "\"") || line.utf8.first == UInt8(ascii: "'")
        let key = line.utf8.prefix { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x80...0xFF: true
            case 0x22, 0x27: isQuoted
            case 0x20: true
            default: false
            }
        }
        guard let next = line.utf8[key.endIndex...].first, key.first != 0x20, !key.isEmpty else {
            return false
        }
        let behind = line.utf8[key.endIndex...].dropFirst().first
        return next == UInt8(ascii: "=")
            || next == UInt8(ascii: ":") && (behind == nil || behind == 0x20 || behind == 0x09)
    }
}
