import Artifacts
import HTTPTypes
import InferencePipeline
import Objects
import Refs

/// The names of versions in service, as answers carry them.
struct ServedVersions: Sendable {
    /// The members of a body; what is not bound is null.
    let json: JSONObject

    /// The header with the name of an answer.
    static let answerHeader = name(of: "answer")

    init(_ versions: AnswerService.InService, in service: AnswerService) {
        let chosen = versions.versions
        var object = JSONObject()
        for role in ["release", "features"] {
            object[role] = chosen.snapshots[role].map { .string($0.hex) } ?? .null
        }
        object["generator"] = versions.generator.map { .string($0.hex) } ?? .null
        object["ranker"] = chosen.roles.ranker.map { .string($0.hex) } ?? .null
        object["reranker"] = chosen.roles.reranker.map { .string($0.hex) } ?? .null
        object["space"] = .string(versions.opened.spaceID.hex)
        object["prompt"] = versions.opened.promptID.map { .string($0.hex) } ?? .null
        object["transaction"] = .integer(chosen.transaction)
        object["verified"] = .bool(versions.opened.engineCheck.isVerified)
        object["replica"] = .string(service.replicaName)
        json = object
    }

    /// The headers of a response; what is not bound has none.
    var headers: HTTPFields {
        var fields = HTTPFields()
        for member in json {
            let text: String
            switch member.value {
            case .null: continue
            case .string(let value): text = value
            default: text = member.value.canonicalText
            }
            guard let name = Self.name(of: member.key) else { continue }
            // Names of replicas are text of any script, and headers are not.
            fields[name] = text.unicodeScalars.allSatisfy { 0x20...0x7E ~= $0.value } ? text : "?"
        }
        return fields
    }

    private static func name(of member: String) -> HTTPField.Name? {
        HTTPField.Name("Fti-" + member.prefix(1).uppercased() + member.dropFirst())
    }
}

extension AnswerService.InService {
    /// The language model that the release binds; nil where the service answers with quotes, and does not ask it.
    var generator: ObjectID? {
        opened.promptID == nil ? nil : versions.roles.generator
    }
}
