internal import CCurl
internal import Objects

/// A connection to a service, kept open between requests. No other file uses libcurl.
///
/// Not thread-safe.
final class Connection: @unchecked Sendable {
    /// What a service says before its answer.
    struct Head {
        let status: Int
        /// The seconds to wait before the next request, as the service asks; 0 where it does not ask.
        let retryAfter: Int
    }

    /// What an exchange may take.
    struct Limits {
        /// The most bytes of the answer.
        var bytes: Int
        /// The most milliseconds for the whole exchange.
        var milliseconds: Int
        /// The most milliseconds without a byte of the answer; nil for no limit of its own.
        var silence: Int?
    }

    /// Why there is no answer.
    enum Failure: Error {
        /// No answer or only a part arrived; a later attempt may succeed.
        case lost(String)
        /// No attempt can succeed.
        case impossible(String)
        /// The answer is longer than any valid answer.
        case tooLong(limit: Int)
        /// The service sent nothing for too long.
        case silent(milliseconds: Int)
        /// The deadline ended.
        case ended
    }

    /// Receives an answer, and watches over the exchange.
    private final class Receiver {
        let handle: UnsafeMutableRawPointer
        let limits: Limits
        let deadline: Deadline?
        let receive: (Int, [UInt8]) -> Bool
        var count = 0
        var lastByte = ContinuousClock.now
        /// Whether the caller needs no more of the answer.
        var isDone = false
        var failure: Failure?

        init(
            _ handle: UnsafeMutableRawPointer, _ limits: Limits, _ deadline: Deadline?,
            _ receive: @escaping (Int, [UInt8]) -> Bool
        ) {
            self.handle = handle
            self.limits = limits
            self.deadline = deadline
            self.receive = receive
        }

        /// Takes some bytes; false ends the exchange.
        func take(_ bytes: UnsafeRawBufferPointer) -> Bool {
            guard !isDone else { return false }
            count += bytes.count
            lastByte = .now
            guard count <= limits.bytes else {
                failure = .tooLong(limit: limits.bytes)
                return false
            }
            isDone = !receive(curl_get_status(handle), Array(bytes))
            return true
        }

        /// Whether the exchange may go on.
        func mayGoOn() -> Bool {
            if deadline?.hasEnded ?? false {
                failure = .ended
            } else if isDone, lastByte.duration(to: .now) > .milliseconds(500) {
                // Usually an answer's end follows at once, and the connection can be used again.
                return false
            } else if let silence = limits.silence,
                lastByte.duration(to: .now) > .milliseconds(silence)
            {
                failure = .silent(milliseconds: silence)
            }
            return failure == nil
        }
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

    /// Sends a request and receives the answer; does not follow redirects.
    ///
    /// - Parameters:
    ///   - body: What to post; nil to get what is at the address.
    ///   - headers: Lines such as `Content-Type: application/json`, without control characters.
    ///   - deadline: When the exchange must end; within about a second it does. Nil for only the limits.
    ///   - receive: Takes the status and each part of the answer as it arrives, on the calling thread. It returns
    ///     whether it needs more; once it does not, the exchange succeeds.
    func exchange(
        _ body: [UInt8]?, with address: String, headers: [String], limits: Limits,
        by deadline: Deadline? = nil, receive: (_ status: Int, _ bytes: [UInt8]) -> Bool
    ) throws(Failure) -> Head {
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
        var allowed = limits.milliseconds
        if let left = deadline?.remaining, left < .milliseconds(allowed) {
            // A little more, so that the deadline has ended when the time is up.
            allowed = min(allowed, Int(left / .milliseconds(1)) + 20)
        }
        curl_set_number(curl, CURLOPT_CONNECTTIMEOUT_MS, max(1, min(10_000, allowed)))
        curl_set_number(curl, CURLOPT_TIMEOUT_MS, max(1, allowed))
        curl_set_text(curl, CURLOPT_USERAGENT, "fti")
        return try withoutActuallyEscaping(receive) { (receive) throws(Failure) in
            let receiver = Receiver(curl, limits, deadline, receive)
            Self.attach(receiver, to: curl)
            let code =
                if let body {
                    body.withUnsafeBytes { buffer in
                        curl_set_number(curl, CURLOPT_POST, 1)
                        curl_set_body(curl, buffer.baseAddress, buffer.count)
                        return withExtendedLifetime(receiver) { curl_easy_perform(curl) }
                    }
                } else {
                    withExtendedLifetime(receiver) { curl_easy_perform(curl) }
                }
            if let failure = receiver.failure { throw failure }
            if code != CURLE_OK, !receiver.isDone {
                throw deadline?.hasEnded ?? false ? .ended : Self.failure(code)
            }
            return Head(
                status: curl_get_status(curl),
                retryAfter: Int(clamping: curl_get_retry_after(curl)))
        }
    }

    private static func attach(_ receiver: Receiver, to curl: UnsafeMutableRawPointer) {
        let context = Unmanaged.passUnretained(receiver).toOpaque()
        curl_set_receiver(
            curl,
            { bytes, size, count, context in
                guard let bytes, let context else { return 0 }
                let receiver = Unmanaged<Receiver>.fromOpaque(context).takeUnretainedValue()
                let total = size * count
                return receiver.take(UnsafeRawBufferPointer(start: bytes, count: total)) ? total : 0
            }, context)
        curl_set_watcher(
            curl,
            { context, _, _, _, _ in
                guard let context else { return 1 }
                let receiver = Unmanaged<Receiver>.fromOpaque(context).takeUnretainedValue()
                return receiver.mayGoOn() ? 0 : 1
            }, context)
    }

    private static func failure(_ code: CURLcode) -> Failure {
        // libcurl's own text never includes the address.
        let reason = curl_easy_strerror(code).map { String(cString: $0) } ?? "code \(code.rawValue)"
        switch code {
        case CURLE_COULDNT_CONNECT, CURLE_COULDNT_RESOLVE_HOST, CURLE_OPERATION_TIMEDOUT,
            CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_GOT_NOTHING, CURLE_PARTIAL_FILE,
            CURLE_HTTP2, CURLE_HTTP2_STREAM:
            return .lost(reason)
        default: return .impossible(reason)
        }
    }
}
