internal import Hummingbird
internal import HummingbirdCore

/// The routes of a server, to tell an unknown path from a wrong method.
struct RouteList: Sendable {
    /// What Hummingbird calls the route of a request that matches none.
    static let notFound = "NotFound"

    /// The answer to a request for a path that no server has.
    static let unknownPath = HTTPFailure(.notFound, "there is no such path", code: "unknown_path")

    private let routes: [(path: RouterPath, method: String)]

    init(_ router: Router<ServingContext>) {
        routes = router.routes.map { ($0.path, $0.method.rawValue) }
    }

    /// The answer to a request that no route takes.
    func failure(_ path: String) -> HTTPFailure {
        let parts = path.split(separator: "/")
        var methods = Set(routes.filter { Self.matches($0.path, parts) }.map(\.method))
        guard !methods.isEmpty else {
            // Clients of OpenAI's API take a base URL, which often lacks its last part.
            let versioned = ["v1"] + parts
            guard routes.contains(where: { Self.matches($0.path, versioned) }) else {
                return Self.unknownPath
            }
            var failure = Self.unknownPath
            failure.message += "; did you mean /\(versioned.joined(separator: "/"))?"
            return failure
        }
        if methods.contains("GET") { methods.insert("HEAD") }
        let allowed = methods.sorted().joined(separator: ", ")
        return HTTPFailure(
            .methodNotAllowed, "the path takes \(allowed)", code: "method_not_allowed",
            headers: [.allow: allowed])
    }

    private static func matches(_ path: RouterPath, _ parts: [Substring]) -> Bool {
        var parts = parts[...]
        for element in path {
            if element == .recursiveWildcard { return true }
            guard let part = parts.popFirst(), element ~= part else { return false }
        }
        return parts.isEmpty
    }
}

/// Turns Hummingbird's own errors into ``HTTPFailure``, which its router passes on, so that ``ServingResponder``
/// answers all errors.
struct FailureMiddleware: RouterMiddleware {
    typealias Context = ServingContext

    func handle(
        _ request: Request, context: ServingContext,
        next: (Request, ServingContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as any HTTPResponseError {
            throw FailureMapping().failure(error)
        }
    }
}
