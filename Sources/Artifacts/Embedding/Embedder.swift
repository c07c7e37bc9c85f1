public import Objects
public import Storage

/// The role of a text in retrieval; some embedders treat the two roles differently.
public enum EmbeddingRole: Sendable {
    /// A chunk to be found.
    case document
    /// A question that finds chunks.
    case query
}

/// Turns text into vectors of one embedding space.
///
/// An implementation must return the same vector for the same text and role, within the tolerance of its space,
/// regardless of the calling thread and of earlier calls.
public protocol Embedder: Sendable {
    /// The space that the vectors belong to.
    var space: EmbeddingSpace { get }

    /// What counts the tokens of a text; nil for an embedder that takes texts of any length.
    var tokens: (any TokenCounter)? { get }

    /// The number of requests to a service that the vectors of some texts take; 0 where none is asked.
    func requests(for texts: [String]) -> Int

    /// The vector of a text: ``EmbeddingSpace/dimension`` finite numbers.
    func embed(_ text: String, as role: EmbeddingRole) throws(EmbeddingError) -> [Float]

    /// The vectors of some texts, in order. An embedder that can batch texts does so here.
    ///
    /// - Parameter made: Receives vectors as soon as they exist, on any thread, together with the index in `texts` of
    ///   the first one. They remain valid even if the call then fails on other texts.
    func embed(
        _ texts: [String], as role: EmbeddingRole, made: @Sendable (Int, [[Float]]) -> Void
    ) throws(EmbeddingError) -> [[Float]]
}

/// Counts tokens as a model does.
public protocol TokenCounter: Sendable {
    /// The most tokens of a text that the model reads; it ignores the rest.
    var limit: Int { get }

    /// The number of tokens of a text, as far as the text decides it: without a prefix and the marks around it.
    func count(_ text: String) -> Int
}

extension Embedder {
    /// Nil: texts may have any length.
    public var tokens: (any TokenCounter)? { nil }

    /// 0: no service is asked.
    public func requests(for texts: [String]) -> Int { 0 }

    /// The vectors of some texts, made one by one.
    public func embed(
        _ texts: [String], as role: EmbeddingRole, made: @Sendable (Int, [[Float]]) -> Void
    ) throws(EmbeddingError) -> [[Float]] {
        var vectors: [[Float]] = []
        vectors.reserveCapacity(texts.count)
        for (index, text) in texts.enumerated() {
            let vector = try embed(text, as: role)
            made(index, [vector])
            vectors.append(vector)
        }
        return vectors
    }

    /// The vectors of some texts, in order.
    public func embed(
        _ texts: [String], as role: EmbeddingRole
    ) throws(EmbeddingError) -> [[Float]] {
        try embed(texts, as: role) { _, _ in }
    }
}

/// Why an embedder cannot make vectors, or why vectors must not be compared.
public enum EmbeddingError: Diagnosable, Hashable {
    /// This program has no embedder for the space.
    case unavailable(space: ObjectID, embedder: String, version: String)
    /// This program's embedder of that name differs from the one that the space describes.
    case embedderDiffers(space: ObjectID, differences: [String])
    /// An embedder does not reproduce a canary of the space that it claims.
    case canaryDiffers(space: ObjectID, canary: Int, difference: Double, tolerance: Double)
    /// A model needs vectors of another space than the features have.
    case spacesDiffer(needed: ObjectID?, found: ObjectID?)
    /// The embedder is a service, and this program has no address for it.
    case serviceUnknown(space: ObjectID, model: String)
    /// A service failed or refused a request; neither the name nor the reason holds a password or key. `said` is the
    /// service's own explanation, which may repeat what it was asked; empty where it gives none.
    case service(name: String, reason: String, Fault, remedy: String? = nil, said: String = "")
    /// The embedder's model is in the repository, and this program cannot run it.
    case model(message: String, Fault, remedy: String? = nil)
    /// The embedder does not support this dimension.
    case invalidDimension(Int)

    /// See ``Diagnosable``.
    public var fault: Fault {
        switch self {
        case .invalidDimension: .usage
        case .service(_, _, let fault, _, _), .model(_, let fault, _): fault
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
            "this program's embedder does not match space \(space.short): the space has "
                + differences.joined(separator: "; ")
        case .canaryDiffers(let space, let canary, let difference, let tolerance):
            "the embedder does not reproduce space \(space.short): canary \(canary) differs "
                + "by \(difference), more than \(tolerance)"
        case .spacesDiffer(let needed, let found):
            "the embedding spaces differ: the model needs \(needed?.hex ?? "none"), "
                + "the features have \(found?.hex ?? "none")"
        case .serviceUnknown(let space, let model):
            "space \(space.short) needs an embedding service with the model \(model), "
                + "but no service address is set"
        case .service(_, _, _, _, let said): logMessage + (said.isEmpty ? "" : ": \(said)")
        case .model(let message, _, _): message
        case .invalidDimension(let dimension):
            "embedding dimension \(dimension) is not supported: "
                + "it must be a multiple of 8 from 8 to 65536"
        }
    }

    /// The message without a service's own words, which may repeat a question.
    public var logMessage: String {
        guard case .service(let name, let reason, _, _, _) = self else { return message }
        return "the embedding service \(name) \(reason)"
    }

    /// The message without a service's own words and without its address.
    public var publicMessage: String {
        guard case .service(_, let reason, _, _, _) = self else { return message }
        return "the embedding service \(reason)"
    }

    /// See ``Diagnosable``.
    public var remedy: String? {
        switch self {
        case .unavailable: "embed the features again with an embedder of this program"
        case .serviceUnknown:
            "export FTI_EMBED_URL=https://HOST/v1/embeddings and, where it needs a key, FTI_EMBED_KEY"
        case .service(_, _, _, let remedy, _), .model(_, _, let remedy): remedy
        case .embedderDiffers, .canaryDiffers:
            "use the embedder that made the features, or embed them again"
        case .spacesDiffer: "train the model on these features, or promote both together"
        case .invalidDimension: "set embed.dimension to 384"
        }
    }
}
