import Hummingbird
import Artifacts
import InferencePipeline
import Objects
import Serving

/// A request to `POST /v1/embeddings`.
struct EmbeddingRequest {
    let model: String
    let texts: [String]
    /// Whether vectors are sent as base64 of little-endian 32-bit floats.
    let isBase64: Bool
    let dimensions: Int?
    /// The role in which the texts are embedded: as questions unless the client says `document`.
    let role: EmbeddingRole

    /// The most texts of a request.
    static let textLimit = 2048
    /// The most bytes of all texts of a request.
    static let byteLimit = 4 << 20

    init(_ body: JSON) throws {
        let request = try APIRequest(body)
        model = try request.requiredText("model")
        guard let input = request.member("input") else {
            throw request.failure("input", "is missing")
        }
        let items = input.array ?? [input]
        guard !items.isEmpty else { throw request.failure("input", "is empty") }
        guard items.count <= Self.textLimit else {
            throw request.failure("input", "has more than \(Self.textLimit) texts")
        }
        texts = try items.map { item in
            guard let text = item.string else {
                throw request.failure(
                    "input",
                    item.integer != nil || item.array != nil
                        ? "has token ids, which only mean something to the tokenizer of one model: "
                            + "send texts (in LangChain, OpenAIEmbeddings("
                            + "check_embedding_ctx_length=False))"
                        : "must be text or a list of texts")
            }
            guard !text.isEmpty else { throw request.failure("input", "has an empty text") }
            return text
        }
        guard texts.reduce(0, { $0 + $1.utf8.count }) <= Self.byteLimit else {
            throw request.failure("input", "has more than \(Self.byteLimit) bytes of text")
        }
        switch try request.text("encoding_format") {
        case nil, "float": isBase64 = false
        case "base64": isBase64 = true
        default: throw request.failure("encoding_format", "must be float or base64")
        }
        dimensions = try request.integer("dimensions", in: 1...65_536)
        switch try request.text("input_type") {
        case nil, "query": role = .query
        case "document", "passage": role = .document
        default: throw request.failure("input_type", "must be query or document")
        }
    }

    /// Refuses a dimension that is not the space's.
    func check(dimension: Int) throws {
        guard let dimensions, dimensions != dimension else { return }
        throw HTTPFailure(
            .badRequest,
            "dimensions must be \(dimension), as the vectors of the served features have",
            param: "dimensions")
    }

    /// The body of the answer.
    func body(_ vectors: [[Float]], model: String) -> JSON {
        let tokens = texts.reduce(0) { $0 + TokenEstimate.tokens(of: $1) }
        return [
            "object": "list",
            "data": .array(
                vectors.enumerated().map { index, vector in
                    [
                        "object": "embedding", "index": .integer(index),
                        "embedding": isBase64
                            ? .string(Self.base64(vector))
                            : .array(vector.map { .number(Double($0)) }),
                    ]
                }),
            "model": .string(model),
            "usage": ["prompt_tokens": .integer(tokens), "total_tokens": .integer(tokens)],
        ]
    }

    private static func base64(_ vector: [Float]) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(4 * vector.count)
        for number in vector {
            let bits = number.bitPattern
            for shift: UInt32 in [0, 8, 16, 24] {
                bytes.append(UInt8(truncatingIfNeeded: bits >> shift))
            }
        }
        return Base64.encode(bytes)
    }
}
