package import Objects

/// A document as its source holds it.
package struct RawDocument: Sendable {
    /// Where it is, below its source; unique in a run.
    package let path: String
    /// What its bytes are.
    package let mediaType: MediaType
    /// All of its bytes.
    package let bytes: [UInt8]
    /// The SHA-256 of its bytes.
    package let digest: ObjectID

    /// The most bytes that a document may have: far above any text that people write.
    package static let sizeLimit = 64 << 20

    /// Makes a document and its digest.
    package init(path: String, mediaType: MediaType, bytes: [UInt8]) {
        self.path = path
        self.mediaType = mediaType
        self.bytes = bytes
        digest = ObjectID(of: bytes.span)
    }
}
