internal import Objects

/// Reads AsciiDoc by Asciidoctor's rules, except that it includes no files and takes every condition as true.
enum AsciiDocCleaner {
    static func clean(_ text: String) -> DocumentText {
        let bytes = Array(text.utf8)
        var lines: [ArraySlice<UInt8>] = []
        var start = 0
        while start < bytes.count, lines.count < TextCleaner.lineLimit {
            let end = bytes[start...].firstIndex(of: 0x0A) ?? bytes.count
            var line = bytes[start..<end]
            while let last = line.last, last <= 0x20 { line.removeLast() }
            lines.append(line)
            start = end + 1
        }
        var parser = AsciiDocParser(lines)
        parser.parse()
        if start < bytes.count { parser.findings.add(TextCleaner.lineLimitFinding) }
        var result = parser.writer.finish()
        result.metadata = parser.metadata
        result.findings.add(parser.findings)
        return result
    }
}

/// The header of an AsciiDoc document.
extension AsciiDocParser {
    /// Parses the title, the authors and the attributes at the start; returns the index of the line after them.
    mutating func parseHeader() -> Int {
        var index = 0
        var hasTitle = false
        while index < lines.count {
            let line = lines[index]
            if let entry = AsciiDocAttributes.entry(line) {
                index = set(entry.name, entry.value, index, isMetadata: true)
            } else if AsciiDocLine.isComment(line) || line.isEmpty && !hasTitle {
                addComment(line)
                index += 1
            } else if !hasTitle, let heading = AsciiDocLine.heading(line), heading.level == 0 {
                hasTitle = true
                begin(heading.text, level: 0)
                index = parseAuthor(index + 1)
            } else if !hasTitle, index + 1 < lines.count,
                AsciiDocLine.underline(lines[index + 1], of: line) == 0
            {
                hasTitle = true
                begin(line, level: 0)
                index = parseAuthor(index + 2)
            } else {
                break
            }
        }
        return index
    }

    /// Parses the author line and the revision line below the title.
    private mutating func parseAuthor(_ index: Int) -> Int {
        var index = index
        guard let line = line(index), let first = line.first, first > 0x3F || first >= 0x80 else {
            return index
        }
        guard first != UInt8(ascii: "[") else { return index }
        var authors: [String] = []
        for part in String(decoding: line, as: UTF8.self).split(separator: ";") {
            var name = String(part)
            if let open = part.firstIndex(of: "<") {
                name = String(part[..<open])
                if authors.isEmpty {
                    let address = part[part.index(after: open)...].prefix { $0 != ">" }
                    setMetadata("email", String(address))
                }
            }
            authors.append(WhiteSpace.collapsed(name))
        }
        setMetadata("author", authors.joined(separator: ", "))
        index += 1
        guard let revision = self.line(index), let start = revision.first,
            start == UInt8(ascii: "v") || (0x30...0x39).contains(start)
        else { return index }
        let parts = String(decoding: revision, as: UTF8.self).split(
            separator: ",", maxSplits: 1)
        let number = parts[0].drop { $0 == "v" }
        if parts.count == 2 || start == UInt8(ascii: "v") {
            setMetadata("revnumber", WhiteSpace.collapsed(String(number)))
        }
        if let rest = parts.count == 2 ? parts[1] : start == UInt8(ascii: "v") ? nil : parts[0] {
            let date = rest.split(separator: ":", maxSplits: 1)[0]
            setMetadata("revdate", WhiteSpace.collapsed(String(date)))
        }
        return index + 1
    }

    private mutating func setMetadata(_ name: String, _ value: String) {
        guard !value.isEmpty else { return }
        attributes.set(name, value)
        metadata[name] = .string(value)
    }

    /// Sets an attribute, whose value may continue on the lines below; returns the index of the line after it.
    mutating func set(
        _ name: String, _ value: ArraySlice<UInt8>, _ index: Int, isMetadata: Bool
    ) -> Int {
        var text = String(decoding: value, as: UTF8.self)
        var index = index + 1
        while text.hasSuffix(" \\"), let next = line(index) {
            text = text.dropLast(2) + " " + String(decoding: next, as: UTF8.self)
            index += 1
        }
        attributes.set(name, WhiteSpace.collapsed(text))
        if isMetadata, let value = attributes[name.lowercased()], !value.isEmpty {
            metadata[name.lowercased()] = .string(value)
        }
        return index
    }

    private func line(_ index: Int) -> ArraySlice<UInt8>? {
        index < lines.count ? lines[index] : nil
    }
}
