/// A part of OpenAI's API, and what users can do when a service of it fails.
public enum ServiceAPI: Sendable, Hashable, CaseIterable {
    /// Vectors of texts.
    case embeddings
    /// Replies of a language model.
    case chat
    /// The names of the models.
    case models

    /// The path after the base address.
    var path: String {
        switch self {
        case .embeddings: "/embeddings"
        case .chat: "/chat/completions"
        case .models: "/models"
        }
    }

    /// The media types of answers.
    var accepts: String {
        self == .chat ? "text/event-stream, application/json" : "application/json"
    }

    /// What the API serves.
    var noun: String {
        switch self {
        case .embeddings: "embeddings"
        case .chat: "chat completions"
        case .models: "a list of models"
        }
    }

    /// What the user can do about a status.
    func remedy(_ status: Int) -> String {
        switch status {
        case 300...399: "correct the url"
        case 400, 422:
            self == .embeddings
                ? "send less at once: lower embed.batch or chunk.size; or correct embed.model, "
                    + "embed.dimension or embed.request"
                : "correct generator.model, or lower budget.context and budget.answer of the prompt"
        case 401, 403:
            self == .embeddings
                ? "check the key: FTI_EMBED_KEY, or the variables that embed.key and embed.headers name"
                : "check the key: the variable that generator.key names"
        case 402: "check the account's plan and quota"
        case 404, 405, 410: addressRemedy
        case 413:
            self == .embeddings
                ? "send less at once: lower embed.batch or chunk.size"
                : "lower budget.context of the prompt"
        case 429:
            self == .embeddings
                ? "repeat the command later, perhaps with a lower embed.batch"
                : "ask again later, perhaps with a lower generator.atOnce"
        default: laterRemedy
        }
    }

    /// The remedy when something else seems to answer.
    var addressRemedy: String {
        self == .embeddings
            ? "check the url (embed.url or FTI_EMBED_URL) and the name of the model"
            : "check the url and the name of the model"
    }

    /// The remedy when the service does not answer at the moment.
    var laterRemedy: String {
        self == .embeddings
            ? "repeat the command when the service answers" : "ask again when the service answers"
    }
}
