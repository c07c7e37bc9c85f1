internal import Objects

/// Which members of a record are its parts. A name with dots leads into objects: `metadata.source`.
public struct RecordFields: Hashable, Sendable {
    /// The members of which the first that is there is the text.
    public var text = ["text", "content"]
    /// The members of which the first that is there tells the record from others of its file.
    public var id = ["id", "path"]
    /// The members of which the first that is there is the title.
    public var title = ["title"]
    /// How the text is to be read.
    package var format = DocumentFormat.text

    /// The members that a record has where nothing is said.
    public init() {}

    /// Where the name of a record is, for messages.
    package var idPhrase: String { Self.phrase(id) }

    /// `"text" or "content"`.
    static func phrase(_ names: [String]) -> String {
        names.map { "\"\($0)\"" }.joined(separator: " or ")
    }
}

extension JSONObject {
    /// The first member of some names that is there; a name with dots leads into objects where no member has it.
    func member(_ names: [String]) -> JSON? {
        names.lazy.compactMap { member($0[...]) }.first { $0 != .null }
    }

    private func member(_ name: Substring) -> JSON? {
        var (object, rest) = (self, name)
        while true {
            if let value = object[String(rest)] { return value }
            guard let dot = rest.utf8.firstIndex(of: UInt8(ascii: ".")),
                let inner = object[String(rest[..<dot])]?.object
            else { return nil }
            object = inner
            rest = rest[rest.utf8.index(after: dot)...]
        }
    }
}
