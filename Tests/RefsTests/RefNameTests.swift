import Objects
import Refs
import Storage
import TestSupport
import Testing

@Suite("Names of refs")
struct RefNameTests {
    @Test(
        "a valid name is accepted and keeps its bytes",
        arguments: [
            "models/current", "features/prod", "datasets/sft", "releases/2026-08-01",
            "models/team-a/bge_small.v2", "models/0", "models/a..b",
            "models/" + String(repeating: "x", count: 193),
        ])
    func accepted(_ text: String) throws {
        let name = try RefName(text)
        #expect(name.text == text)
        #expect(name.namespace.rawValue == String(text.prefix { $0 != "/" }))
    }

    @Test(
        "anything else is a usage error of one line",
        arguments: HostileNames.refs + [
            "models/x@{1}", "models/x~1", "models/x:y", String(repeating: "a", count: 64),
        ])
    func refused(_ text: String) {
        let error = refError { _ = try RefName(text) }
        #expect(error?.fault == .usage)
        #expect(error?.message.contains { $0.isNewline || $0 == "\0" } == false)
    }

    @Test("the error for an unknown namespace lists the four that exist")
    func unknownNamespace() {
        let message = refError { _ = try RefName("unknown/x") }?.message ?? ""
        for namespace in RefNamespace.allCases { #expect(message.contains(namespace.rawValue)) }
    }

    @Test("each namespace has one kind, and each kind one namespace")
    func kinds() {
        for namespace in RefNamespace.allCases {
            #expect(RefNamespace(namespace.kind) == namespace)
        }
        #expect(RefNamespace.datasets.kind == .dataset)
    }
}
