public import Hummingbird
public import Objects
internal import NIOCore

/// The answer to a request that cannot be fulfilled.
///
/// Its body has the form of OpenAI's errors: `{"error": {"message", "type", "param", "code"}}`.
public struct HTTPFailure: Error, Sendable {
    /// The status.
    public var status: HTTPResponse.Status
    /// What went wrong, for the caller.
    public var message: String
    /// A word for programs, such as `model_not_found`.
    public var code: String?
    /// The member of the request that is at fault.
    public var param: String?
    /// The seconds after which to try again, as `Retry-After`.
    public var retryAfter: Int?
    /// Further headers, such as `Allow`.
    public var headers: HTTPFields

    /// Makes a failure. A 503 says to try again after 5 seconds unless `retryAfter` says otherwise.
    public init(
        _ status: HTTPResponse.Status, _ message: String, code: String? = nil,
        param: String? = nil, retryAfter: Int? = nil, headers: HTTPFields = [:]
    ) {
        self.status = status
        self.message = message
        self.code = code
        self.param = param
        self.retryAfter = retryAfter ?? (status == .serviceUnavailable ? 5 : nil)
        self.headers = headers
    }

    /// The failure of a request without a token that the server knows.
    public static func unauthorized(_ message: String) -> HTTPFailure {
        HTTPFailure(
            .unauthorized, message, code: "invalid_api_key",
            headers: [.wwwAuthenticate: "Bearer"])
    }

    /// The class of the failure in the body: `invalid_request_error`, `authentication_error`, `permission_error`,
    /// `rate_limit_error` or `server_error`.
    public var type: String {
        switch status.code {
        case 401: "authentication_error"
        case 403: "permission_error"
        case 429: "rate_limit_error"
        case 500...: "server_error"
        default: "invalid_request_error"
        }
    }

    /// The body.
    public var json: JSON {
        [
            "error": [
                "message": .string(message), "type": .string(type),
                "param": param.map { .string($0) } ?? .null,
                "code": code.map { .string($0) } ?? .null,
            ]
        ]
    }

    /// The response.
    var response: Response {
        var fields = headers
        fields[.contentType] = "application/json"
        if let retryAfter { fields[.retryAfter] = String(retryAfter) }
        return Response(
            status: status, headers: fields, body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    /// The body as bytes.
    var bytes: [UInt8] { json.canonicalBytes + [0x0A] }
}

/// An error that a route answers in a form of its own, such as a page for people.
///
/// The server maps, counts and logs it as it does with any error; only the body differs.
public struct FormattedFailure: Error {
    /// The error.
    let cause: any Error
    /// Makes the response, whose status should be that of the failure.
    let response: @Sendable (HTTPFailure) -> Response

    /// Gives an error a form.
    public init(_ cause: any Error, response: @escaping @Sendable (HTTPFailure) -> Response) {
        self.cause = cause
        self.response = response
    }
}

/// An error of an app that knows which answer clients get, where its ``Diagnosable/fault`` does not say enough.
public protocol HTTPFailureConvertible: Error {
    /// The answer to the request that ended with this error.
    var httpFailure: HTTPFailure { get }
    /// The error in words for the log.
    var logMessage: String { get }
}
