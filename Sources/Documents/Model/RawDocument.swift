package import Objects

/// A document as its source holds it.
package struct RawDocument: Sendable {
    /// Where it is, below its source; unique in a run.
    package let path: String
    /// How its bytes are to be read.
    package let format: DocumentFormat
    /// The encoding that its source declares, as the web names encodings; nil to find out.
    package let encoding: String?
    /// Which members are its parts, where it is a record.
    package let fields: RecordFields
    /// All of its bytes.
    package let bytes: [UInt8]
    /// The SHA-256 of its bytes.
    package let digest: ObjectID

    /// The most bytes that a document may have: far above any text that people write.
    package static let sizeLimit = 64 << 20

    /// Whether a text names an encoding that documents may be in.
    package static func isEncoding(_ label: String) -> Bool { CharacterSet(label: label) != nil }

    /// Makes a document and its digest.
    package init(
        path: String, format: DocumentFormat, encoding: String? = nil,
        fields: RecordFields = RecordFields(), bytes: [UInt8]
    ) {
        self.path = path
        self.format = format
        self.encoding = encoding
        self.fields = fields
        self.bytes = bytes
        digest = ObjectID(of: bytes.span)
    }
}
