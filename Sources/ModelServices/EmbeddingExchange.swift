internal import Artifacts
internal import Objects

/// One request for embeddings, and the parser of its answer, in the format of OpenAI's embeddings API.
struct EmbeddingExchange {
    let model: ServiceModel
    let texts: [String]
    let role: EmbeddingRole

    /// The body of the request.
    var body: [UInt8] {
        var object = JSONObject()
        object["encoding_format"] = "float"
        if model.asksForDimension { object[Self.dimensionMember] = .integer(model.dimension) }
        for member in model.request[role] {
            object[member.key] = member.value == .null ? nil : member.value
        }
        object["model"] = .string(model.name)
        object["input"] = .array(texts.map { .string($0) })
        return JSON.object(object).canonicalBytes
    }

    /// The request member that sets the dimension.
    static let dimensionMember = "dimensions"

    /// The maximum number of bytes of a valid answer: every number in its longest spelling, and some slack.
    ///
    /// Allows for a model whose own dimension is greater than the configured one.
    var limit: Int { 64 << 10 + texts.count * (max(model.dimension, 4096) * 32 + 1024) }

    /// Why an answer is unusable.
    struct UnusableAnswer: Error {
        let reason: String
        /// The number of components of its vectors, where that is the problem.
        var dimension: Int?
    }

    /// The vectors in an answer, in the order of the texts, scaled to length 1.
    func vectors(in answer: [UInt8]) throws(UnusableAnswer) -> [[Float]] {
        let json: JSON
        do throws(JSONError) { json = try JSON(parsing: answer.span) } catch {
            throw UnusableAnswer(reason: "answers with something other than JSON")
        }
        guard let items = json["data"]?.array, items.count == texts.count else {
            throw UnusableAnswer(reason: "answers without one vector for each text")
        }
        var vectors = [[Float]](repeating: [], count: texts.count)
        for (position, item) in items.enumerated() {
            let place = item["index"]?.integer ?? position
            guard vectors.indices.contains(place), vectors[place].isEmpty,
                let numbers = item["embedding"]?.array
            else { throw UnusableAnswer(reason: "answers without one vector for each text") }
            guard numbers.count == model.dimension else {
                throw UnusableAnswer(
                    reason:
                        "answers with vectors of \(numbers.count) numbers, not \(model.dimension)",
                    dimension: numbers.count)
            }
            vectors[place] = try Self.normalized(numbers)
        }
        return vectors
    }

    private static func normalized(_ numbers: [JSON]) throws(UnusableAnswer) -> [Float] {
        var values: [Double] = []
        values.reserveCapacity(numbers.count)
        var squares = 0.0
        for number in numbers {
            guard let value = number.number else {
                throw UnusableAnswer(
                    reason: "answers with a vector that holds values other than numbers")
            }
            values.append(value)
            squares += value * value
        }
        // Outside this range, squares lose digits or overflow; no embedder comes near it.
        guard 1e-200...1e200 ~= squares else {
            throw UnusableAnswer(reason: "answers with a vector without a direction")
        }
        let length = squares.squareRoot()
        return values.map { Float($0 / length) }
    }
}
