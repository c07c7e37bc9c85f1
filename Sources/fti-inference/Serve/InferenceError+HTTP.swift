import Artifacts
import HTTPTypes
public import InferencePipeline
import Objects
public import Serving
import Storage

/// What clients get when a question is not answered.
///
/// Only what a client sent is the client's mistake: a language model that refuses a request, or a snapshot that is gone,
/// is a failure of the service, whatever its own fault says.
extension InferenceError: HTTPFailureConvertible {
    /// The answer to the request that ended with this error.
    public var httpFailure: HTTPFailure {
        switch self {
        case .question, .request, .longQuestion:
            HTTPFailure(.badRequest, publicMessage, code: "invalid_request")
        case .condition:
            HTTPFailure(.badRequest, publicMessage, code: "invalid_filter", param: "filters")
        case .generation(let error): Self.failure(error)
        case .engine:
            HTTPFailure(
                .serviceUnavailable, publicMessage + (remedy.map { "; \($0)" } ?? ""),
                code: "wrong_model")
        case .late:
            HTTPFailure(.gatewayTimeout, publicMessage, code: "deadline_exceeded")
        case .reranker, .rerankerDiffers, .unusable, .pin, .embedding, .refs, .objects, .storage:
            HTTPFailure(
                .serviceUnavailable, publicMessage,
                code: fault == .damaged ? "damaged" : "unavailable")
        }
    }

    /// The message without the words of other services, which may repeat a question.
    public var logMessage: String {
        switch self {
        case .generation(let error): error.logMessage
        case .embedding(let error): error.logMessage
        default: message
        }
    }

    /// The message without the words and the addresses of other services.
    var publicMessage: String {
        switch self {
        case .generation(let error): error.publicMessage
        case .embedding(let error): error.publicMessage
        default: message
        }
    }

    private static func failure(_ error: GenerationError) -> HTTPFailure {
        switch error {
        case .service:
            HTTPFailure(.serviceUnavailable, error.publicMessage, code: "generator_failed")
        case .limited(_, let seconds, _):
            HTTPFailure(
                .tooManyRequests, error.publicMessage, code: "generator_busy",
                retryAfter: seconds > 0 ? min(seconds, 86_400) : 5)
        case .busy:
            HTTPFailure(
                .tooManyRequests, error.publicMessage, code: "generator_busy", retryAfter: 1)
        case .spent(_, _, let seconds):
            HTTPFailure(
                .tooManyRequests, error.publicMessage, code: "budget_spent",
                retryAfter: max(1, seconds))
        case .late: HTTPFailure(.gatewayTimeout, error.publicMessage, code: "generator_timeout")
        case .cancelled:
            HTTPFailure(
                .serviceUnavailable, error.publicMessage, code: "cancelled", retryAfter: 1)
        }
    }
}
