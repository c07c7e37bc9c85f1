import Hummingbird
import Objects
import Serving

/// The fields of a form: of the query, or of a body that a form of HTML sends. A token counts in a body only, as
/// addresses are kept in histories and logs.
struct PageForm {
    private var fields: [String: String] = [:]

    /// The most fields that are read.
    private static let fieldLimit = 32

    /// Reads the query of a request, and the body if it is a form.
    ///
    /// - Throws: ``HTTPFailure`` with 415 for another body, 400 for one that is malformed; errors of the connection.
    init(_ request: Request, _ context: ServingContext) async throws {
        if let query = request.uri.query {
            try read(query)
            fields["token"] = nil
        }
        guard request.method == .post else { return }
        let type = request.headers[.contentType]?.prefix { $0 != ";" && $0 != " " }.lowercased()
        guard type == "application/x-www-form-urlencoded" else {
            throw HTTPFailure(
                .unsupportedMediaType, "the body must be a form",
                code: "unsupported_media_type")
        }
        let body = try await request.collected(context)
        guard let text = String(validating: body, as: UTF8.self) else {
            throw Self.malformed
        }
        try read(text)
    }

    /// A field; nil where it is missing or blank.
    subscript(name: String) -> String? {
        guard let value = fields[name], value.contains(where: { !$0.isWhitespace }) else {
            return nil
        }
        return value
    }

    /// Reads `name=value&name=value`; the first field of a name counts.
    private mutating func read(_ text: String) throws {
        for pair in text.split(separator: "&", maxSplits: Self.fieldLimit).prefix(Self.fieldLimit) {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Self.decoded(parts[0]),
                let value = parts.count > 1 ? Self.decoded(parts[1]) : ""
            else { throw Self.malformed }
            if fields[name] == nil { fields[name] = value }
        }
    }

    private static let malformed = HTTPFailure(
        .badRequest, "the form is malformed", code: "malformed_request")

    /// Decodes a part of a form, where a plus is a space; nil unless it is UTF-8. Line ends become line feeds.
    private static func decoded(_ text: Substring) -> String? {
        let spaced = text.replacing("+", with: " ")
        return PercentEncoding.decoded(String(spaced))?.replacing("\r\n", with: "\n")
    }
}
