internal import Artifacts
internal import CCurl
internal import Objects

/// A connection to a service, kept open between requests. No other file uses libcurl.
///
/// Not thread-safe.
final class Connection: @unchecked Sendable {
    /// The answer of a service.
    struct Answer {
        let status: Int
        let bytes: [UInt8]
        /// The seconds to wait before the next request, as the service asks; 0 where it does not ask.
        let retryAfter: Int
    }

    /// Why there is no answer.
    enum Failure: Error {
        /// No answer or only a part arrived; a later attempt may succeed.
        case lost(String)
        /// No attempt can succeed.
        case impossible(String)
        /// The answer is longer than any valid answer.
        case tooLong(limit: Int)
    }

    /// Collects an answer up to a limit.
    private final class Receiver {
        var bytes: [UInt8] = []
        let limit: Int
        var isFull = false

        init(limit: Int) { self.limit = limit }
    }

    private let handle: OpaqueHandle

    /// libcurl's handle, which Swift imports as a raw pointer.
    private struct OpaqueHandle {
        let pointer: UnsafeMutableRawPointer
    }

    // libcurl requires one initialisation before threads use it.
    private static let initialized: Void = {
        curl_global_init(Int(CURL_GLOBAL_DEFAULT))
        return ()
    }()

    init() throws(Failure) {
        _ = Self.initialized
        guard let pointer = curl_easy_init() else { throw .impossible("libcurl failed to start") }
        handle = OpaqueHandle(pointer: pointer)
    }

    deinit { curl_easy_cleanup(handle.pointer) }

    /// Sends a body and waits for the answer; does not follow redirects.
    ///
    /// - Parameters:
    ///   - headers: Lines such as `Content-Type: application/json`, without control characters.
    ///   - limit: The most bytes of the answer.
    ///   - timeout: The most seconds for the whole exchange.
    func post(
        _ body: [UInt8], to address: String, headers: [String], limit: Int, timeout: Int
    ) throws(Failure) -> Answer {
        let curl = handle.pointer
        // Clears the options of the previous request but keeps the connection open.
        curl_easy_reset(curl)
        var list: UnsafeMutablePointer<curl_slist>?
        defer { curl_slist_free_all(list) }
        for line in headers { list = curl_slist_append(list, line) }
        curl_set_text(curl, CURLOPT_URL, address)
        curl_set_headers(curl, list)
        curl_set_number(curl, CURLOPT_NOSIGNAL, 1)
        curl_set_number(curl, CURLOPT_FOLLOWLOCATION, 0)
        curl_set_number(curl, CURLOPT_CONNECTTIMEOUT, min(10, timeout))
        curl_set_number(curl, CURLOPT_TIMEOUT, timeout)
        curl_set_text(curl, CURLOPT_USERAGENT, "fti")
        let receiver = Receiver(limit: limit)
        curl_set_receiver(
            curl,
            { bytes, size, count, context in
                guard let bytes, let context else { return 0 }
                let receiver = Unmanaged<Receiver>.fromOpaque(context).takeUnretainedValue()
                let total = size * count
                guard receiver.bytes.count + total <= receiver.limit else {
                    receiver.isFull = true
                    return 0
                }
                receiver.bytes.append(
                    contentsOf: UnsafeRawBufferPointer(start: bytes, count: total))
                return total
            }, Unmanaged.passUnretained(receiver).toOpaque())
        let code = body.withUnsafeBytes { buffer in
            curl_set_number(curl, CURLOPT_POST, 1)
            curl_set_body(curl, buffer.baseAddress, buffer.count)
            return withExtendedLifetime(receiver) { curl_easy_perform(curl) }
        }
        if receiver.isFull { throw .tooLong(limit: limit) }
        guard code == CURLE_OK else {
            // libcurl's own text never includes the address.
            let reason =
                curl_easy_strerror(code).map { String(cString: $0) } ?? "code \(code.rawValue)"
            switch code {
            case CURLE_COULDNT_CONNECT, CURLE_COULDNT_RESOLVE_HOST, CURLE_OPERATION_TIMEDOUT,
                CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_GOT_NOTHING, CURLE_PARTIAL_FILE,
                CURLE_HTTP2, CURLE_HTTP2_STREAM:
                throw .lost(reason)
            default: throw .impossible(reason)
            }
        }
        return Answer(
            status: curl_get_status(curl), bytes: receiver.bytes,
            retryAfter: Int(clamping: curl_get_retry_after(curl)))
    }
}

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
