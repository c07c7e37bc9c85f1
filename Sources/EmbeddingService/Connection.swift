internal import CCurl
internal import Glibc

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
