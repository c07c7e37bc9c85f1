public import Objects
public import Storage

/// Why vectors cannot be made or must not be compared.
public enum EmbeddingError: Diagnosable, Hashable {
    /// No embedder of this program makes vectors of the space.
    case unavailable(space: ObjectID, embedder: String, version: String)
    /// The embedder that this program has under the name is not the one that the space describes.
    case embedderDiffers(space: ObjectID, differences: [String])
    /// An embedder does not reproduce a canary of the space that it claims.
    case canaryDiffers(space: ObjectID, canary: Int, difference: Double, tolerance: Double)
    /// Vectors of two spaces were about to be compared.
    case spacesDiffer(needed: ObjectID?, found: ObjectID?)
    /// The embedder is a service, and nobody said where this program finds it.
    case serviceUnknown(space: ObjectID, model: String)
    /// A service does not do what is asked of it; neither the name nor the reason holds a password or a key.
    case service(name: String, reason: String, Fault, remedy: String? = nil)
    /// A dimension that the embedder does not have.
    case invalidDimension(Int)

    /// See ``Diagnosable``.
    public var fault: Fault {
        switch self {
        case .invalidDimension: .usage
        case .service(_, _, let fault, _): fault
        case .unavailable, .embedderDiffers, .canaryDiffers, .serviceUnknown, .spacesDiffer:
            .refused
        }
    }

    /// See ``Diagnosable``.
    public var message: String {
        switch self {
        case .unavailable(let space, let embedder, let version):
            "embedding space \(space.short) needs embedder \(embedder) version \(version), "
                + "which this program does not have"
        case .embedderDiffers(let space, let differences):
            "this program's embedder does not make vectors of space \(space.short): the space has "
                + differences.joined(separator: "; ")
        case .canaryDiffers(let space, let canary, let difference, let tolerance):
            "the embedder does not make vectors of space \(space.short): canary \(canary) differs "
                + "by \(difference), more than \(tolerance)"
        case .spacesDiffer(let needed, let found):
            "the embedding spaces differ: the model needs \(needed?.hex ?? "none"), "
                + "the features have \(found?.hex ?? "none")"
        case .serviceUnknown(let space, let model):
            "vectors of space \(space.short) are made by a service with the model \(model), "
                + "and nothing says where it is"
        case .service(let name, let reason, _, _): "the embedding service \(name) \(reason)"
        case .invalidDimension(let dimension):
            "an embedding of dimension \(dimension) is not possible: "
                + "it must be a multiple of 8 from 8 to 65536"
        }
    }

    /// See ``Diagnosable``.
    public var remedy: String? {
        switch self {
        case .unavailable: "embed the features again with an embedder of this program"
        case .serviceUnknown:
            "export FTI_EMBED_URL=https://HOST/v1/embeddings and, where it needs a key, FTI_EMBED_KEY"
        case .service(_, _, _, let remedy): remedy
        case .embedderDiffers, .canaryDiffers:
            "use the embedder that made the features, or embed them again"
        case .spacesDiffer: "train the model on these features, or promote both together"
        case .invalidDimension: "set embed.dimension to 384"
        }
    }
}
