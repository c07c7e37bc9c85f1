internal import Artifacts
internal import Objects

/// A question to a service and the reading of its answer, in the form of OpenAI's embeddings API.
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

    /// The member by which a request asks for a dimension.
    static let dimensionMember = "dimensions"

    /// The most bytes of an answer: each number as long as anybody writes it, and some room, also where a model's
    /// own dimension is greater than the one that is wanted.
    var limit: Int { 64 << 10 + texts.count * (max(model.dimension, 4096) * 32 + 1024) }

    /// Why an answer is of no use: the end of a sentence that begins with the service.
    struct Unusable: Error {
        let reason: String
        /// The numbers of the vectors, where that is what is wrong.
        var dimension: Int?
    }

    /// The vectors in an answer, in the order of the texts, each of length 1.
    func vectors(in answer: [UInt8]) throws(Unusable) -> [[Float]] {
        let json: JSON
        do throws(JSONError) { json = try JSON(parsing: answer.span) } catch {
            throw Unusable(reason: "answers with what is not JSON")
        }
        guard let items = json["data"]?.array, items.count == texts.count else {
            throw Unusable(reason: "answers without one vector for each text")
        }
        var vectors = [[Float]](repeating: [], count: texts.count)
        for (position, item) in items.enumerated() {
            let place = item["index"]?.integer ?? position
            guard vectors.indices.contains(place), vectors[place].isEmpty,
                let numbers = item["embedding"]?.array
            else { throw Unusable(reason: "answers without one vector for each text") }
            guard numbers.count == model.dimension else {
                throw Unusable(
                    reason:
                        "answers with vectors of \(numbers.count) numbers, not \(model.dimension)",
                    dimension: numbers.count)
            }
            vectors[place] = try Self.normalized(numbers)
        }
        return vectors
    }

    private static func normalized(_ numbers: [JSON]) throws(Unusable) -> [Float] {
        var values: [Double] = []
        values.reserveCapacity(numbers.count)
        var squares = 0.0
        for number in numbers {
            guard let value = number.number else {
                throw Unusable(reason: "answers with a vector that has more than numbers in it")
            }
            values.append(value)
            squares += value * value
        }
        // Beyond these, squares lose digits or overflow; no embedder is near them.
        guard 1e-200...1e200 ~= squares else {
            throw Unusable(reason: "answers with a vector that has no direction")
        }
        let length = squares.squareRoot()
        return values.map { Float($0 / length) }
    }
}
