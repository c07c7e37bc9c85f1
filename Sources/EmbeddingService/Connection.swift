internal import Artifacts
internal import CCurl
internal import Glibc
internal import Objects

/// A connection to a service, kept open between requests. This file is the only one that knows libcurl.
///
/// Not for two threads at once.
final class Connection: @unchecked Sendable {
    /// What a service answered.
    struct Answer {
        let status: Int
        let bytes: [UInt8]
        /// The seconds after which the service wants to be asked again; 0 where it does not say.
        let retryAfter: Int
    }

    /// Why there is no answer.
    enum Failure: Error {
        /// Nothing came, or not all of it: it may do so the next time.
        case lost(String)
        /// It never will.
        case impossible(String)
        /// The answer is longer than anything that was asked for.
        case tooLong(limit: Int)
    }

    /// Gathers an answer up to a limit.
    private final class Receiver {
        var bytes: [UInt8] = []
        let limit: Int
        var isFull = false

        init(limit: Int) { self.limit = limit }
    }

    private let handle: OpaqueHandle

    /// libcurl's handle, which Swift sees as a raw pointer.
    private struct OpaqueHandle {
        let pointer: UnsafeMutableRawPointer
    }

    // libcurl asks to be initialised once before threads use it.
    private static let initialized: Void = {
        curl_global_init(Int(CURL_GLOBAL_DEFAULT))
        return ()
    }()

    init() throws(Failure) {
        _ = Self.initialized
        guard let pointer = curl_easy_init() else { throw .impossible("libcurl does not start") }
        handle = OpaqueHandle(pointer: pointer)
    }

    deinit { curl_easy_cleanup(handle.pointer) }

    /// Sends a body and waits for the answer; no redirect is followed.
    ///
    /// - Parameters:
    ///   - headers: Lines such as `Content-Type: application/json`, without control characters.
    ///   - limit: The most bytes of the answer.
    ///   - timeout: The most seconds that all of it may take.
    func post(
        _ body: [UInt8], to address: String, headers: [String], limit: Int, timeout: Int
    ) throws(Failure) -> Answer {
        let curl = handle.pointer
        // Options of the request before are gone, the open connection stays.
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
            // The text is libcurl's own and says nothing of the address.
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

/// Waiting, for retries.
enum Sleep {
    static func milliseconds(_ count: Int) {
        let wanted = timespec(
            tv_sec: max(0, count) / 1000, tv_nsec: max(0, count) % 1000 * 1_000_000)
        var (rest, left) = (wanted, wanted)
        while nanosleep(&rest, &left) != 0, errno == EINTR { rest = left }
    }
}
