internal import YAML
internal import Documents

extension DocumentSource {
    /// The keys of a source that ``readSelection(_:)`` takes.
    static let selectionKeys = ["include", "exclude", "format", "encoding"]

    /// Takes which files of a source are documents, and how they are to be read.
    ///
    /// - Throws: `configuration` with the line of what is wrong.
    mutating func readSelection(_ item: inout YAMLMapping) throws(ConfigurationError) {
        if let include = try Self.patterns("include", &item) { self.include = include }
        if let exclude = try Self.patterns("exclude", &item) { self.exclude = exclude }
        if let word = try item.text("format") {
            guard let format = DocumentFormat.named[word.value] else {
                let known = DocumentFormat.named.keys.sorted().joined(separator: ", ")
                throw item.error(
                    "sources.format is \(word.value): \(known) are known", line: word.line)
            }
            self.format = format
            fields.format = format
        }
        if let label = try item.text("encoding") {
            guard RawDocument.isEncoding(label.value) else {
                throw item.error(
                    "sources.encoding is \(label.value), which is not known: write it as web pages "
                        + "do, such as windows-1252 or shift_jis", line: label.line)
            }
            encoding = label.value
        }
    }

    private static func patterns(
        _ key: String, _ item: inout YAMLMapping
    ) throws(ConfigurationError) -> [GlobPattern]? {
        guard let texts = try item.texts(key) else { return nil }
        var patterns: [GlobPattern] = []
        for text in texts {
            do throws(GlobPattern.Malformed) { patterns.append(try GlobPattern(text.value)) } catch
            {
                throw item.error(
                    "sources.\(key): the pattern \(text.value) \(error.reason)", line: text.line)
            }
        }
        return patterns
    }
}
