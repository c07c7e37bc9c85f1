internal import Hummingbird
internal import NIOCore
internal import NIOHTTP1
internal import Objects
internal import Storage

/// Turns any error into the answer that the client gets. Only errors that are ``HTTPFailureConvertible`` decide on their own.
struct FailureMapping: Sendable {
    /// Removes what clients must not see from a message.
    var redact: @Sendable (String) -> String = { $0 }

    /// The failure for an error.
    ///
    /// | error | status |
    /// |---|---|
    /// | `HTTPFailure`, ``HTTPFailureConvertible`` | its own |
    /// | `Diagnosable`, by its fault | usage 400, missing 404, conflict 409, refused 403, damaged 503, io 503 |
    /// | `WorkPool.Refusal.full` | 429 |
    /// | `WorkPool.Refusal.ended`, `CancellationError` | 504 after the deadline, 503 while the server stops |
    /// | malformed JSON, wrong members | 400 |
    /// | errors of Hummingbird and NIO | their own: 400, 413 |
    /// | anything else | 500, without details |
    func failure(_ error: any Error, ending: Exchange.Ending? = nil) -> HTTPFailure {
        var failure = mapped(error, ending)
        failure.message = redact(failure.message)
        return failure
    }

    /// An error in words for the log.
    static func text(of error: any Error) -> String {
        (error as? any HTTPFailureConvertible)?.logMessage
            ?? (error as? any Diagnosable)?.message ?? "\(error)"
    }

    /// Whether an error is the server's own, so that an operator should read about it.
    static func isUnexpected(_ error: any Error) -> Bool {
        switch error {
        case let error as any Diagnosable: error.fault == .damaged || error.fault == .io
        case is HTTPFailure, is WorkPool.Refusal, is CancellationError, is JSONError,
            is JSONSchemaError, is any HTTPResponseError, is HTTPParserError, is ChannelError:
            false
        default: true
        }
    }

    private func mapped(_ error: any Error, _ ending: Exchange.Ending?) -> HTTPFailure {
        if let ending { return Self.failure(ending) }
        switch error {
        case let failure as HTTPFailure: return failure
        case let error as any HTTPFailureConvertible: return error.httpFailure
        case WorkPool.Refusal.full:
            return HTTPFailure(
                .tooManyRequests, "the server is busy: its queue is full",
                code: "rate_limit_exceeded", retryAfter: 1)
        case is WorkPool.Refusal, is CancellationError: return Self.failure(.deadline)
        case let error as JSONError:
            return HTTPFailure(
                .badRequest, "the body is not JSON: \(error.reason) at byte \(error.offset)",
                code: "invalid_json")
        case let error as JSONSchemaError:
            return HTTPFailure(
                .badRequest, "\(error.path) \(error.reason)", code: "invalid_value",
                param: error.path)
        case let error as any Diagnosable: return Self.failure(error)
        case is NIOTooManyBytesError: return Self.tooLarge
        case is HTTPParserError: return Self.failure(.malformedBody)
        case let error as HTTPError:
            return HTTPFailure(
                error.status, error.body ?? error.status.reasonPhrase.lowercased(),
                headers: error.headers)
        case let error as any HTTPResponseError:
            return HTTPFailure(error.status, error.status.reasonPhrase.lowercased())
        default:
            return HTTPFailure(
                .internalServerError, "the server failed; its log says why",
                code: "internal_error")
        }
    }

    static let tooLarge = HTTPFailure(
        .contentTooLarge, "the body is larger than the server accepts", code: "body_too_large")

    private static func failure(_ error: any Diagnosable) -> HTTPFailure {
        switch error.fault {
        case .usage: HTTPFailure(.badRequest, error.message, code: "invalid_request")
        case .missing: HTTPFailure(.notFound, error.message, code: "not_found")
        case .conflict: HTTPFailure(.conflict, error.message, code: "conflict")
        case .refused: HTTPFailure(.forbidden, error.message, code: "refused")
        case .damaged: HTTPFailure(.serviceUnavailable, error.message, code: "damaged")
        case .io, .program:
            HTTPFailure(.serviceUnavailable, error.message, code: "unavailable")
        }
    }

    private static func failure(_ ending: Exchange.Ending) -> HTTPFailure {
        switch ending {
        case .deadline:
            HTTPFailure(
                .gatewayTimeout, "the time for the request is over", code: "deadline_exceeded")
        case .slowBody:
            HTTPFailure(.requestTimeout, "the body comes too slowly", code: "slow_body")
        case .malformedBody:
            HTTPFailure(.badRequest, "the body is malformed", code: "malformed_request")
        case .stopping:
            HTTPFailure(
                .serviceUnavailable, "the server stops", code: "stopping", retryAfter: 1)
        case .clientLeft, .stalled:
            // Nobody reads the answer; the access log shows the status.
            HTTPFailure(
                .init(code: 499, reasonPhrase: "Client Closed Request"), "the client left",
                code: "client_left")
        }
    }
}
