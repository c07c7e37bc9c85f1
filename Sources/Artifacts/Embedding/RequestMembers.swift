public import Objects

/// What every request to an embedding service has beside the model and the texts, such as `input_type`.
///
/// It changes vectors, so it is part of the embedding space.
public struct RequestMembers: Hashable, Sendable {
    /// The members of a request for vectors of documents.
    public let document: JSONObject
    /// The members of a request for vectors of questions.
    public let query: JSONObject

    /// Makes the members of both kinds of requests.
    public init(document: JSONObject = JSONObject(), query: JSONObject = JSONObject()) {
        self.document = document
        self.query = query
    }

    /// Reads what a space says.
    init(_ reader: inout JSONObjectReader) throws(JSONSchemaError) {
        self.init(document: try reader.object("document"), query: try reader.object("query"))
    }

    /// Whether requests have the model and the texts alone.
    public var isEmpty: Bool { document.isEmpty && query.isEmpty }

    /// The members for a role.
    public subscript(role: EmbeddingRole) -> JSONObject {
        switch role {
        case .document: document
        case .query: query
        }
    }

    /// The value that spaces and snapshots have.
    public var json: JSON { ["document": .object(document), "query": .object(query)] }

    /// The value as a person reads it; empty when there are no members.
    var text: String { isEmpty ? "" : json.canonicalText }

    /// Hashes the canonical form.
    public func hash(into hasher: inout Hasher) { hasher.combine(json.canonicalBytes) }
}
