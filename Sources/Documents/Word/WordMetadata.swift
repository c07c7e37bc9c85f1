internal import Objects

/// What a document of Word says of itself.
enum WordMetadata {
    private static let names: [String: String] = [
        "dc:title": "title", "dc:creator": "author", "dc:subject": "subject",
        "dc:description": "description", "dc:language": "language", "cp:keywords": "keywords",
        "cp:category": "category", "dcterms:created": "created", "dcterms:modified": "modified",
    ]

    /// Reads `docProps/core.xml`.
    static func read(_ package: WordPackage) throws(UnreadableDocument) -> JSONObject {
        var result = JSONObject()
        guard let reader = try package.part("docProps/core.xml") else { return result }
        var name: String?
        while let event = reader.next() {
            switch event {
            case .begin(let element): name = names[element]
            case .end: name = nil
            case .text(let text):
                guard let name else { continue }
                let value = (result[name]?.string).map { $0 + text } ?? text
                let collapsed = WhiteSpace.collapsed(value)
                if !collapsed.isEmpty { result[name] = .string(collapsed) }
            }
        }
        return result
    }
}
