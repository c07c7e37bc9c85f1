import HTTPTypes
import Hummingbird
import Serving

/// Who may ask, read and judge through the page.
///
/// The page uses no cookies, so a browser never adds a right to a request by itself. Where there are tokens, every
/// question, answer and source needs one, in the `Authorization` header that the script sends or in the field `token`
/// of a form; a page of another site knows none. Where there are none, what spends something is refused when the
/// browser says that a page of another site sent it.
struct PageAccess: Sendable {
    /// The tokens of the server; nil where none are needed.
    let tokens: TokenFile?

    /// Checks the token of a request.
    ///
    /// - Returns: The name of the token; nil where none are needed.
    /// - Throws: ``HTTPFailure`` with 401.
    func token(_ form: PageForm, _ context: ServingContext) throws -> String? {
        guard let tokens else { return nil }
        if let name = context.token { return name }
        guard let token = form["token"] else {
            throw HTTPFailure.unauthorized("A token is needed.")
        }
        guard let name = tokens.name(of: token) else {
            throw HTTPFailure.unauthorized("This token is not known.")
        }
        return name
    }

    /// Refuses a form that a page of another site sent.
    ///
    /// - Throws: ``HTTPFailure`` with 403.
    static func refuseForeign(_ request: Request) throws {
        guard isOwn(request) else {
            throw HTTPFailure(
                .forbidden, "This form was sent by a page of another site.", code: "cross_site")
        }
    }

    /// Whether a request comes from the page itself, or from a program that is no browser.
    ///
    /// Browsers send `Sec-Fetch-Site` to servers with TLS and on the same machine, and `Origin` with every form.
    private static func isOwn(_ request: Request) -> Bool {
        if let site = site(request) { return site }
        guard let origin = request.headers[.origin] else { return true }
        guard let authority = request.head.authority, let mark = origin.firstRange(of: "://") else {
            return false
        }
        // A proxy may end TLS, so the scheme does not count.
        return origin[mark.upperBound...].lowercased() == authority.lowercased()
    }

    /// Whether a link may ask a question: one that the user typed or kept, or one of the page.
    ///
    /// A page of another site could name the address as a picture, and spend what answers cost. Where a browser does
    /// not say who sends it, the question is only filled in.
    static func mayAsk(byLink request: Request) -> Bool {
        if let site = site(request) { return site }
        return request.headers[.userAgent]?.hasPrefix("Mozilla/") != true
    }

    /// What `Sec-Fetch-Site` says; nil where the browser does not send it.
    private static func site(_ request: Request) -> Bool? {
        secFetchSite.flatMap { request.headers[$0] }.map { $0 == "same-origin" || $0 == "none" }
    }

    private static let secFetchSite = HTTPField.Name("Sec-Fetch-Site")
}
