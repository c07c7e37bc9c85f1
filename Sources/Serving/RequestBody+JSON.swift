public import Hummingbird
public import Objects
internal import NIOCore

extension Request {
    /// Reads the body as JSON.
    ///
    /// - Parameter roundsNumbers: Whether numbers that lose digits as a double, or are infinite, are accepted; see
    ///   `JSON.init(parsing:)`.
    /// - Throws: ``HTTPFailure`` with 415 when `Content-Type` is not JSON or the body is compressed, 413 when it is
    ///   larger than the server's limit, 400 when it is not JSON. Errors of the connection go through.
    public func json(
        _ context: ServingContext, roundsNumbers: Bool = false
    ) async throws -> JSON {
        guard Self.isJSON(headers[.contentType]) else {
            throw HTTPFailure(
                .unsupportedMediaType, "the body must be JSON, with Content-Type: application/json",
                code: "unsupported_media_type")
        }
        let coding = headers[.contentEncoding]?.lowercased()
        guard coding == nil || coding == "identity" else {
            throw HTTPFailure(
                .unsupportedMediaType, "the body must not be compressed",
                code: "unsupported_media_type")
        }
        let bytes = try await collected(context)
        return try JSON(
            parsing: bytes.span, roundsNumbers: roundsNumbers, valueLimit: Self.valueLimit)
    }

    /// The whole body; takes the request's place among those that are handled at once when it is there.
    ///
    /// - Throws: ``HTTPFailure`` with 413 when it is larger than the server's limit, 429 when bodies take all the memory
    ///   that they may, or the server handles as many requests as it may. Errors of the connection go through.
    public func collected(_ context: ServingContext) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        var taken = 0
        defer { context.budget?.releaseBody(taken) }
        for try await part in body {
            bytes.append(contentsOf: part.readableBytesView)
            guard bytes.count <= context.bodyLimit else { throw FailureMapping.tooLarge }
            let large = bytes.count - RequestBudget.smallBody - taken
            guard large > 0, let budget = context.budget else { continue }
            guard budget.takeBody(large) else { throw RequestBudget.full }
            taken += large
        }
        if let budget = context.budget { try context.exchange?.takePlace(in: budget) }
        return bytes
    }

    /// The number of JSON values that a body may have.
    private static let valueLimit = 200_000

    /// Whether a content type is JSON, in UTF-8.
    private static func isJSON(_ value: String?) -> Bool {
        guard let value else { return false }
        let parts = value.lowercased().split(separator: ";").map { part in
            part.filter { $0 != " " && $0 != "\t" && $0 != "\"" }
        }
        guard let type = parts.first else { return false }
        let isJSON =
            type == "application/json" || type.hasPrefix("application/") && type.hasSuffix("+json")
        return isJSON
            && parts.dropFirst().allSatisfy { part in
                !part.hasPrefix("charset=") || part == "charset=utf-8" || part == "charset=utf8"
            }
    }
}
