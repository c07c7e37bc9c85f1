/// What the status of a service's answer means, and what a person can do about it.
enum ServiceStatus {
    /// Whether a service answers so while it is too busy, or somebody in between is: what is asked for again may
    /// come. 520 to 529 are of proxies, and of services that say they are overloaded.
    static func isPassing(_ status: Int) -> Bool {
        switch status {
        case 408, 425, 429, 500, 502...504, 520...529: true
        default: false
        }
    }

    /// The end of a sentence that begins with the service.
    static func meaning(_ status: Int, model: String, hasKey: Bool) -> String {
        switch status {
        case 300...399: "answers with a redirect, which is not followed"
        case 400, 422: "refuses the request"
        case 401, 403: hasKey ? "refuses the key" : "asks for a key"
        case 402: "asks to be paid"
        case 404, 410: "has nothing at this address, or no model \(model)"
        case 405: "does not embed at this address"
        case 413: "refuses the request as too large"
        case 429: "has had too many requests"
        default: "fails"
        }
    }

    /// What to do next.
    static func remedy(_ status: Int) -> String {
        switch status {
        case 300...399: "correct its url"
        case 400, 422:
            "send less at once: lower embed.batch or chunk.size; or correct embed.model, "
                + "embed.dimension or embed.request"
        case 401, 403:
            "check the key: FTI_EMBED_KEY, or the variables that embed.key and embed.headers name"
        case 402: "check the plan and the quota of the account"
        case 404, 405, 410: checkAddress
        case 413: "send less at once: lower embed.batch or chunk.size"
        case 429: "repeat the command later, perhaps with a lower embed.batch"
        default: "repeat the command when it answers"
        }
    }

    /// What to do where something else than an embedding service seems to answer.
    static let checkAddress = "check the url (embed.url or FTI_EMBED_URL) and the name of the model"
}
