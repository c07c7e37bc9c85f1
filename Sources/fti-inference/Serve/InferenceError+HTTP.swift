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
            HTTPFailure(.badRequest, message, code: "invalid_request")
        case .condition: HTTPFailure(.badRequest, message, code: "invalid_filter", param: "filters")
        case .generation(let error): Self.failure(error)
        case .engine: HTTPFailure(.serviceUnavailable, message, code: "wrong_model")
        case .unusable, .pin, .embedding, .refs, .objects, .storage:
            fault == .damaged
                ? HTTPFailure(.serviceUnavailable, message, code: "damaged")
                : HTTPFailure(.serviceUnavailable, message, code: "unavailable", retryAfter: 5)
        }
    }

    private static func failure(_ error: GenerationError) -> HTTPFailure {
        switch error {
        case .service(_, _, let fault, _):
            HTTPFailure(
                .serviceUnavailable, error.message, code: "generator_failed",
                retryAfter: fault == .io ? 5 : nil)
        case .busy:
            HTTPFailure(.tooManyRequests, error.message, code: "generator_busy", retryAfter: 1)
        case .spent(_, _, let seconds):
            HTTPFailure(
                .tooManyRequests, error.message, code: "budget_spent", retryAfter: max(1, seconds))
        case .late: HTTPFailure(.gatewayTimeout, error.message, code: "generator_timeout")
        case .cancelled:
            HTTPFailure(
                .serviceUnavailable, error.message, code: "cancelled", retryAfter: 1)
        }
    }
}
