import Objects
import Refs
import Storage
import Testing

@Suite("Gates of signed repositories")
struct ApprovalGateTests {
    private let name: RefName
    private let signed: SignedRepository

    init() throws {
        name = try RefName("models/current")
        let json = try JSON(
            parsing: Array(
                #"{"ref":"models/current","type":"approvals","count":2,"by":["ada","feature-bot"]}"#
                    .utf8
            ).span)
        var reader = JSONObjectReader(try #require(json.object))
        signed = try SignedRepository(gates: [try Gate(&reader)])
    }

    private func put(_ text: String) throws -> ObjectID {
        try signed.repository.put(
            "models/a", Version(.model, text), writer: signed.writer(signed.training))
    }

    private func promote(_ id: ObjectID, by key: SecretKey, overriding reason: String? = nil)
        throws -> Commit
    {
        try signed.repository.begin(writer: signed.writer(key)).commit(
            [RefUpdate(name, new: id)], overriding: reason)
    }

    private func approve(_ id: ObjectID, by key: SecretKey, seconds: Int = 60) throws {
        let repository = signed.repository
        let end = Timestamp(milliseconds: signed.clock.now.milliseconds + seconds * 1000)
        try repository.approve(
            name, new: id, expires: try #require(end), on: try repository.state(),
            writer: signed.writer(key))
    }

    private func refusal(_ id: ObjectID) throws -> GateOutcome? {
        do {
            _ = try promote(id, by: signed.training)
            return nil
        } catch RefError.gates(let outcomes) { return outcomes.first }
    }

    @Test("a move passes once with enough approvals by listed keys")
    func once() throws {
        let model = try put("one")
        let refusal = try #require(try refusal(model))
        #expect(refusal.demanded == "2 approvals by ada, feature-bot")
        #expect(refusal.remedy?.contains("ftictl approve models/current \(model.short)") == true)
        try approve(model, by: signed.admin)
        try approve(model, by: signed.admin)
        try approve(model, by: signed.training)
        #expect(try self.refusal(model)?.found == "it has 1 (ada)")
        try approve(model, by: signed.features)
        #expect(try self.refusal(model) == nil)
        let other = try put("two")
        try approve(other, by: signed.admin)
        try approve(other, by: signed.features)
        #expect(try self.refusal(other) == nil)
        // The approvals of the first move are used up.
        #expect(try self.refusal(model)?.found == "it has none")
    }

    @Test("approvals expire")
    func expiry() throws {
        let model = try put("one")
        try approve(model, by: signed.admin)
        try approve(model, by: signed.features, seconds: 30)
        signed.clock.advance(seconds: 31)
        #expect(try refusal(model)?.found == "it has 1 (ada); expired: feature-bot")
    }

    @Test("an approval belongs to its signer, whatever later entries claim")
    func relabelled() throws {
        let model = try put("one")
        try approve(model, by: signed.training)
        let number = try signed.repository.state().number
        // Other writers continue, and have accepted it.
        try signed.repository.put("features/a", text: "1", writer: signed.writer(signed.features))
        try signed.repository.put("features/a", text: "2", writer: signed.writer(signed.admin))
        let hash = try signed.repository.log.entry(number).hash
        try signed.bucket.edit(entryName(number)) { bytes in
            let text = String(decoding: bytes, as: UTF8.self)
            let other = text.replacing(
                signed.training.publicKey.hex, with: signed.admin.publicKey.hex)
            bytes = Array(other.utf8)
        }
        #expect(try signed.repository.log.entry(number).hash == hash)
        let fresh = refError { _ = try Repository(in: signed.bucket).state() }
        #expect(fresh?.message.contains("signature") == true)
    }

    @Test("only an admin overrides gates")
    func override() throws {
        let model = try put("one")
        let error = refError {
            _ = try promote(model, by: signed.training, overriding: "in a hurry")
        }
        guard case .unauthorized? = error else {
            Issue.record("\(error?.message ?? "it was let in")")
            return
        }
        let commit = try promote(model, by: signed.admin, overriding: "the old one is broken")
        let number = try #require(commit.number)
        #expect(
            try signed.repository.log.entry(number).actions.contains(
                .override(
                    gates: commit.gates.filter { !$0.passes }.map(\.summary),
                    reason: "the old one is broken")))
        // Readers accept it.
        #expect(try Repository(in: signed.bucket).state().target(of: name) == model)
    }
}
