import Objects
import Refs
import Storage
import Testing

@Suite("Gates that fix refs, and gates on removals")
struct FixedGateTests {
    private static let fixed = #"{"ref":"models/v1","type":"fixed"}"#

    private func refusal(_ gated: GatedRepository, _ updates: [RefUpdate]) throws -> GateOutcome? {
        do {
            _ = try gated.repository.begin(writer: testWriter()).commit(updates)
            return nil
        } catch RefError.gates(let outcomes) { return outcomes.first }
    }

    @Test("a fixed ref is created once, and can then be neither moved nor deleted")
    func fixed() throws {
        let gated = try GatedRepository(Self.fixed)
        let repository = gated.repository
        let name = try RefName("models/v1")
        let one = try repository.put("models/a", Version(.model, "1"))
        let two = try repository.put("models/a", Version(.model, "2"))
        #expect(try refusal(gated, [RefUpdate(name, new: one)]) == nil)
        let move = try #require(try refusal(gated, [RefUpdate(name, new: two)]))
        #expect(move.target == two && move.found == "it is at \(one.short)")
        let removal = try #require(try refusal(gated, [RefUpdate(name, new: nil)]))
        #expect(removal.target == nil && removal.json["id"] == .null)
        let error = RefError.gates([removal])
        #expect(error.message.hasPrefix("models/v1 cannot be deleted: the fixed gate"))
        let renaming = try repository.rename(
            name, to: try RefName("models/v2"), in: try repository.state(), by: testWriter(),
            MoveOptions(isRehearsal: true))
        guard case .rehearsed(let rehearsal) = renaming else {
            Issue.record("a rehearsal was committed")
            return
        }
        #expect(rehearsal.refusal != nil && rehearsal.refs.count == 2)
        let reversal = try repository.log.reversal(in: try repository.state())
        #expect(try refusal(gated, reversal.updates) != nil)
        // A move to the current target is not a move.
        #expect(try refusal(gated, [RefUpdate(name, new: one)]) == nil)
        let commit = try repository.begin(writer: testWriter()).commit(
            [RefUpdate(name, new: two)], overriding: "wrong tag")
        #expect(commit.gates.map(\.passes) == [false])
        #expect(try Repository(in: gated.bucket).state().target(of: name) == two)
    }

    @Test("readers refuse an entry that moves a fixed ref and overrides nothing")
    func forged() throws {
        let gated = try GatedRepository(Self.fixed)
        let one = try gated.repository.put("models/a", Version(.model, "1"))
        try gated.repository.move(["models/v1": one])
        let state = try gated.repository.state()
        let name = try RefName("models/v1")
        let actions: [Action] = [
            .ref(name, old: one, new: nil, since: state.lastTransaction(of: name))
        ]
        for (extra, passes): ([Action], Bool) in [
            ([], false), ([.override(gates: ["fixed"], reason: "x")], true),
        ] {
            let bucket = try gated.bucket.copy()
            let entry = LogEntry(
                number: state.number + 1, previous: state.entryHash, base: state.number,
                time: state.time, writer: "mallory@test", message: "",
                nonce: RandomBits(from: { 5 }), actions: actions + extra)
            #expect(try bucket.create(entryName(entry.number), entry.encoded) == .created)
            let error = refError { _ = try Repository(in: bucket).state() }
            #expect((error == nil) == passes)
            if let error { #expect(error.message.contains("models/v1 is fixed at")) }
        }
    }

    @Test("an approval gate counts approvals of a removal")
    func approvedRemoval() throws {
        let gate = try Gate(#"{"ref":"models/a","type":"approvals","count":1,"by":["ada"]}"#)
        let signed = try SignedRepository()
        let repository = signed.repository
        let writer = signed.writer(signed.training)
        try repository.put("models/a", text: "1", writer: writer)
        try repository.setAccessPolicy(
            try signed.policy(gates: [gate]), writer: signed.writer(signed.admin))
        let name = try RefName("models/a")
        func delete() throws {
            _ = try repository.delete([name], in: try repository.state(), by: writer)
        }
        let error = refError { try delete() }
        #expect(error?.fault == .refused)
        #expect(error?.remedy?.hasPrefix("ftictl approve models/a --delete") == true)
        let end = try #require(Timestamp(milliseconds: signed.clock.now.milliseconds + 60_000))
        try repository.approve(
            name, new: nil, expires: end, on: try repository.state(),
            writer: signed.writer(signed.admin))
        try delete()
        #expect(try Repository(in: signed.bucket).state().target(of: name) == nil)
    }

    @Test("a ref that a gate compares with cannot be removed alone")
    func removedPartner() throws {
        let gated = try GatedRepository(
            #"{"ref":"models/current","type":"space","with":"features/prod"}"#)
        let repository = gated.repository
        let features = try RefName("features/prod")
        try repository.put("features/prod", Version(.features, "f", space: "one"))
        try repository.put("models/current", Version(.model, "m", space: "one"))
        let refusal = try #require(try refusal(gated, [RefUpdate(features, new: nil)]))
        #expect(refusal.found.contains("there is no features/prod"))
        #expect(refusal.remedy == "ftictl ref delete features/prod models/current")
        let both = [features, try RefName("models/current")].map { RefUpdate($0, new: nil) }
        #expect(try self.refusal(gated, both) == nil)
        // Without a policy it may go: the built-in gate requires nothing of a missing ref.
        let open = try GatedRepository()
        try open.repository.put("features/prod", Version(.features, "f", space: "one"))
        try open.repository.put("models/current", Version(.model, "m", space: "one"))
        #expect(try self.refusal(open, [RefUpdate(features, new: nil)]) == nil)
    }

    @Test(
        "names of metrics, parameters and inputs are matched in full, however they are displayed",
        arguments: [100, 101, 190])
    func longNames(length: Int) throws {
        let name = String(repeating: "m", count: length)
        let gated = try GatedRepository(
            #"{"ref":"models/current","type":"metric","metric":"\#(name)","atLeast":0.8}"#,
            #"{"ref":"models/current","type":"evidence","requires":["params.\#(name)"]}"#,
            #"{"ref":"models/current","type":"input","path":"\#(name)","ancestorOf":"features/a"}"#)
        let features = try gated.repository.put("features/a", Version(.features, "f"))
        var version = Version(.model, "m", inputs: [name: features], metrics: [name: 0.9])
        version.params[name] = .string("x")
        let good = try gated.repository.put("models/a", version)
        #expect(try gated.refusals(["models/current": good]).isEmpty)
        let bad = try gated.repository.put("models/b", Version(.model, "bad"))
        let refusals = try gated.refusals(["models/current": bad])
        #expect(refusals.count == 3)
        // The remedy is a command that can be typed.
        #expect(refusals[0].remedy?.contains("--metric \(name)=NUMBER") == true)
    }
}

extension Gate {
    /// Reads a gate from its form in a policy.
    init(_ text: String) throws {
        let json = try JSON(parsing: Array(text.utf8).span)
        var reader = JSONObjectReader(try #require(json.object))
        try self.init(&reader)
    }
}
