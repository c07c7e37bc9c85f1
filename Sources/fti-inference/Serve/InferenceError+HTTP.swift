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
        case .engine:
            HTTPFailure(
                .serviceUnavailable, message + (remedy.map { "; \($0)" } ?? ""),
                code: "wrong_model")
        case .unusable, .pin, .embedding, .refs, .objects, .storage:
            HTTPFailure(
                .serviceUnavailable, message, code: fault == .damaged ? "damaged" : "unavailable")
        }
    }

    private static func failure(_ error: GenerationError) -> HTTPFailure {
        switch error {
        case .service:
            HTTPFailure(.serviceUnavailable, error.message, code: "generator_failed")
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
