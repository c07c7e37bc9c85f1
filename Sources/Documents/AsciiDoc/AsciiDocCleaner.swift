internal import Objects

/// AsciiDoc as text, as Asciidoctor reads it.
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
        if start < bytes.count {
            parser.findings.add(
                .cut, "length", lines.count, "lines", detail: "no text has more")
        }
        var result = parser.writer.finish()
        result.metadata = parser.metadata
        result.findings.add(parser.findings)
        return result
    }
}
