import Artifacts
import HTTPTypes
import InferencePipeline
import Objects
import Refs

/// How answers name the versions that gave them.
enum ServedVersions {
    /// The header with the name of an answer.
    static let answerHeader = name(of: "answer")

    private static func name(of member: String) -> HTTPField.Name? {
        HTTPField.Name("Fti-" + member.prefix(1).uppercased() + member.dropFirst())
    }

    /// The members of a body.
    static func json(of versions: AnswerService.InService, in service: AnswerService) -> JSONObject
    {
        let chosen = versions.versions
        var object = JSONObject()
        for role in ["release", "features", "generator"] {
            object[role] = chosen.snapshots[role].map { .string($0.hex) } ?? .null
        }
        object["ranker"] = chosen.roles.ranker.map { .string($0.hex) } ?? .null
        object["space"] = .string(versions.opened.spaceID.hex)
        object["prompt"] = versions.opened.promptID.map { .string($0.hex) } ?? .null
        object["transaction"] = .integer(chosen.transaction)
        object["verified"] = .bool(versions.opened.engineCheck.isVerified)
        object["replica"] = .string(service.replicaName)
        return object
    }

    /// The headers of a response; what is not bound has none.
    static func headers(of versions: AnswerService.InService, in service: AnswerService)
        -> HTTPFields
    {
        var fields = HTTPFields()
        for member in json(of: versions, in: service) {
            let text: String
            switch member.value {
            case .null: continue
            case .string(let value): text = value
            default: text = member.value.canonicalText
            }
            guard let name = name(of: member.key) else { continue }
            // Names of replicas are text of any script, and headers are not.
            fields[name] = text.unicodeScalars.allSatisfy { 0x20...0x7E ~= $0.value } ? text : "?"
        }
        return fields
    }
}
