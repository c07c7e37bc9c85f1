@testable import Maintenance
import Objects
import Refs
import Storage
import Synchronization
import TestSupport
import Testing

/// A repository without signatures, whose policy has gates.
struct GatedRepository {
    let clock = TestClock()
    let bucket = MemoryBucket()
    let repository: Repository

    init(_ gates: String...) throws {
        repository = try Repository.create(in: bucket, writer: testWriter(clock: clock))
        try setGates(gates)
    }

    func setGates(_ gates: [String]) throws {
        guard !gates.isEmpty else { return }
        let text = #"{"signed":false,"gates":[\#(gates.joined(separator: ","))]}"#
        try repository.setAccessPolicy(
            try AccessPolicy(decoding: Array(text.utf8)), writer: testWriter())
    }

    /// The outcomes of gates that refuse moves; empty when the moves happen.
    func refusals(_ moves: KeyValuePairs<String, ObjectID>) throws -> [GateOutcome] {
        let before = try repository.state()
        do {
            try repository.move(moves)
            return []
        } catch RefError.gates(let outcomes) {
            #expect(try repository.state().number == before.number)
            #expect(outcomes.allSatisfy { !$0.passes && $0.remedy != nil })
            return outcomes
        }
    }
}

@Suite("Gates")
struct GateTests {
    private static let metric =
        #"{"ref":"models/current","type":"metric","metric":"recall","atLeast":0.8}"#
    private static let input =
        #"{"ref":"models/current","type":"input","path":"dataset.features","ancestorOf":"features/prod"}"#
    private static let space = #"{"ref":"models/current","type":"space","with":"features/prod"}"#

    @Test(
        "a metric outside its bounds is refused with both values",
        arguments: [(0.8, true), (0.9, true), (0.79, false), (-1, false)])
    func metric(value: Double, passes: Bool) throws {
        let gated = try GatedRepository(Self.metric)
        let model = try gated.repository.put(
            "models/a", Version(.model, "m", metrics: ["recall": value, "recall@10": 1]))
        let refusals = try gated.refusals(["models/current": model])
        #expect(refusals.isEmpty == passes)
        guard let refusal = refusals.first else { return }
        #expect(refusal.demanded.contains("0.8"))
        #expect(refusal.found.contains(JSON.number(value).canonicalText))
        #expect(try gated.refusals(["models/other": model]).isEmpty)
    }

    @Test("an upper bound holds like a lower one")
    func upperBound() throws {
        let gated = try GatedRepository(
            #"{"ref":"models/*","type":"metric","metric":"loss","atMost":2,"atLeast":1}"#)
        for (loss, passes) in [(0.5, false), (1.5, true), (2.5, false)] {
            let error = refError {
                try gated.repository.put("models/a", Version(.model, "m", metrics: ["loss": loss]))
            }
            #expect((error == nil) == passes)
        }
    }

    @Test("a missing metric is refused, and the remedy names a version that has it")
    func missingMetric() throws {
        let gated = try GatedRepository(Self.metric)
        let none = try gated.repository.put("models/a", Version(.model, "none"))
        #expect(try gated.refusals(["models/current": none])[0].found == "it has no such metric")
        try gated.repository.put("models/good", Version(.model, "good", metrics: ["recall": 0.9]))
        let bad = try gated.repository.put(
            "models/b", Version(.model, "bad", metrics: ["recall": 0.1]))
        let remedy = try gated.refusals(["models/current": bad])[0].remedy
        #expect(remedy == "ftictl promote models/good models/current")
    }

    @Test("an input is the ref's value or an ancestor of it, through several links")
    func ancestry() throws {
        let gated = try GatedRepository(Self.input)
        let repository = gated.repository
        var features: [ObjectID] = []
        for number in 0..<5 {
            features.append(
                try repository.put(
                    "features/prod",
                    Version(.features, "\(number)", parents: features.last.map { [$0] } ?? [])))
        }
        let side = try repository.put(
            "features/side", Version(.features, "side", parents: [features[1]]))
        func model(of id: ObjectID, _ name: String) throws -> ObjectID {
            let dataset = try repository.put(
                "datasets/a", Version(.dataset, name, inputs: ["features": id]))
            return try repository.put(
                "models/a", Version(.model, name, inputs: ["dataset": dataset]))
        }
        for (index, id) in features.enumerated() {
            let model = try model(of: id, "m\(index)")
            #expect(try gated.refusals(["models/current": model]).isEmpty)
        }
        let other = try model(of: side, "side")
        let refusal = try #require(try gated.refusals(["models/current": other]).first)
        #expect(refusal.found.contains(side.short) && refusal.found.contains(features[4].short))
        // Part of the format as well.
        #expect(refusal.demanded.hasSuffix(" is features/prod or came before it"))
        let both = "ftictl promote \(side.short) features/prod \(other.short) models/current"
        #expect(refusal.remedy == both)
        // Following the remedy satisfies the gate, in one transaction and in either order.
        #expect(try gated.refusals(["models/current": other, "features/prod": side]).isEmpty)
        let last = try model(of: features[4], "last")
        #expect(try gated.refusals(["models/current": last]).count == 1)
        let plain = try repository.put("models/plain", Version(.model, "plain"))
        #expect(
            try gated.refusals(["models/current": plain])[0].found == "it has no input dataset")
    }

    @Test("a search of ancestors ends where history was collected")
    func collectedAncestors() throws {
        let gated = try GatedRepository(Self.input)
        let repository = gated.repository
        let gone = ObjectID(of: Array("collected".utf8).span)
        let first = try repository.put("features/a", Version(.features, "1", parents: [gone]))
        try repository.put("features/prod", Version(.features, "2", parents: [first]))
        let side = try repository.put("features/b", Version(.features, "side"))
        for (features, passes) in [(first, true), (side, false)] {
            let dataset = try repository.put(
                "datasets/a", Version(.dataset, "d", inputs: ["features": features]))
            let model = try repository.put(
                "models/a", Version(.model, features.hex, inputs: ["dataset": dataset]))
            #expect(try gated.refusals(["models/current": model]).isEmpty == passes)
        }
    }

    @Test("features and model change their space together or not at all, even without a policy")
    func standingSpace() throws {
        let gated = try GatedRepository()
        let repository = gated.repository
        let old = try repository.put("features/prod", Version(.features, "1", space: "one"))
        let model = try repository.put("models/current", Version(.model, "1", space: "one"))
        let new = try repository.put("features/next", Version(.features, "2", space: "two"))
        let next = try repository.put("models/next", Version(.model, "2", space: "two"))
        let features = try #require(try gated.refusals(["features/prod": new]).first)
        #expect(features.remedy?.hasSuffix("\(next.short) models/current") == true)
        #expect(features.ref.text == "features/prod")
        let refusal = try #require(try gated.refusals(["models/current": next]).first)
        #expect(refusal.remedy?.hasSuffix("\(new.short) features/prod") == true)
        #expect(try gated.refusals(["features/prod": new, "models/current": next]).isEmpty)
        // And back: a rollback of both is one transaction as well.
        #expect(try gated.refusals(["features/prod": old]).count == 1)
        #expect(try gated.refusals(["models/current": model, "features/prod": old]).isEmpty)
        let plain = try repository.put("models/plain", Version(.model, "says nothing"))
        #expect(try gated.refusals(["models/current": plain]).isEmpty)
    }

    @Test(
        "a policy gate about other refs, or many refs, does not replace the built-in gate",
        arguments: [
            #"{"ref":"models/*","type":"space","with":"features/prod"}"#,
            #"{"ref":"features/prod","type":"space","with":"features/canary"}"#,
        ])
    func otherSpaces(gate: String) throws {
        let gated = try GatedRepository()
        let repository = gated.repository
        for name in ["prod", "canary"] {
            try repository.put("features/\(name)", Version(.features, "1", space: "one"))
        }
        let model = try repository.put("models/current", Version(.model, "1", space: "one"))
        let new = try repository.put("features/next", Version(.features, "2", space: "two"))
        let other = try repository.put("models/other", Version(.model, "2", space: "one"))
        try gated.setGates([gate])
        #expect(
            try !gated.refusals(["features/prod": new, "features/canary": new]).isEmpty)
        #expect(try gated.refusals(["models/current": other]).isEmpty)
        #expect(try gated.refusals(["models/current": model]).isEmpty)
    }

    @Test("a space gate in a policy requires a declared space on both sides")
    func strictSpace() throws {
        let gated = try GatedRepository(Self.space)
        let repository = gated.repository
        let plain = try repository.put("models/plain", Version(.model, "says nothing"))
        let model = try repository.put("models/a", Version(.model, "m", space: "one"))
        let features = try repository.put("features/a", Version(.features, "f", space: "one"))
        #expect(try gated.refusals(["models/current": model]).count == 1)
        #expect(try gated.refusals(["features/prod": features]).isEmpty)
        #expect(try gated.refusals(["models/current": plain]).count == 1)
        #expect(try gated.refusals(["models/current": model]).isEmpty)
    }

    @Test("an evidence gate reads metrics, parameters and inputs")
    func evidence() throws {
        let gated = try GatedRepository(
            #"{"ref":"models/current","type":"evidence","requires":["metrics.a","params.b","inputs.dataset.features"]}"#
        )
        let repository = gated.repository
        let features = try repository.put("features/a", Version(.features, "f"))
        let dataset = try repository.put(
            "datasets/a", Version(.dataset, "d", inputs: ["features": features]))
        var version = Version(
            .model, "m", inputs: ["dataset": dataset, "features": features], metrics: ["a": 0])
        let poor = try repository.put("models/a", version)
        let refusal = try #require(try gated.refusals(["models/current": poor]).first)
        #expect(refusal.found == "it lacks params.b")
        #expect(refusal.remedy?.contains("--param b=VALUE") == true)
        version.params["b"] = "x"
        let rich = try repository.put("models/a", version)
        #expect(try gated.refusals(["models/current": rich]).isEmpty)
    }

    @Test("formats are detected from the content, whatever the names say")
    func formats() throws {
        let gated = try GatedRepository(
            #"{"ref":"models/*","type":"formats","allow":["text"]}"#)
        let pickle: [UInt8] = [0x80, 4, 0x95, 2, 0, 0, 0, 0, 0, 0, 0, 0x4E, 0x2E]
        try gated.repository.put(
            "models/a", Version(.model, "m", files: ["config.json": Array("{}".utf8)]))
        let error = refError {
            try gated.repository.put(
                "models/a",
                Version(
                    .model, "m",
                    files: ["a/model.safetensors": pickle, "b.txt": Array("x".utf8)]))
        }
        guard case .gates(let outcomes)? = error else {
            Issue.record("it was let in")
            return
        }
        #expect(outcomes[0].found == "a/model.safetensors is pickle")
        // An override stores this text, and `verify` compares it: the words are part of the format.
        #expect(
            outcomes[0].summary
                == "formats of models/*: no files but text, and a/model.safetensors is pickle")
    }

    @Test("an override is recorded with each gate that refused, and only when one did")
    func override() throws {
        let gated = try GatedRepository(Self.metric, Self.space)
        let repository = gated.repository
        let model = try repository.put("models/a", Version(.model, "m", metrics: ["recall": 0.1]))
        let name = try RefName("models/current")
        let commit = try repository.begin(writer: testWriter()).commit(
            [RefUpdate(name, new: model)], overriding: "we must")
        #expect(commit.gates.count == 2 && commit.gates.allSatisfy { !$0.passes })
        let number = try #require(commit.number)
        #expect(
            try repository.log.entry(number).actions.contains(
                .override(gates: commit.gates.map(\.summary), reason: "we must")))
        let good = try repository.put("models/b", Version(.model, "g", metrics: ["recall": 0.9]))
        let other = try repository.begin(writer: testWriter()).commit(
            [RefUpdate(try RefName("models/c"), new: good)], overriding: "no need")
        let entry = try repository.log.entry(try #require(other.number))
        #expect(entry.actions.count == 1)
    }

    @Test("when a gate refuses one of three refs, none of them moves")
    func three() throws {
        let gated = try GatedRepository(Self.metric)
        let repository = gated.repository
        let model = try repository.put("models/a", Version(.model, "m", metrics: ["recall": 0.1]))
        let features = try repository.put("features/a", Version(.features, "f"))
        let dataset = try repository.put("datasets/a", Version(.dataset, "d"))
        let refusals = try gated.refusals([
            "features/prod": features, "models/current": model, "datasets/prod": dataset,
        ])
        #expect(refusals.count == 1)
        #expect(try repository.target("features/prod") == nil)
        #expect(try repository.target("datasets/prod") == nil)
    }

    @Test("gates are evaluated in the state at commit, not in the state at the beginning")
    func meanwhile() throws {
        let gated = try GatedRepository(Self.metric)
        let repository = gated.repository
        let one = try repository.put("features/prod", Version(.features, "1", space: "one"))
        let two = try repository.put("features/b", Version(.features, "2", space: "two"))
        let model = try repository.put(
            "models/a", Version(.model, "m", metrics: ["recall": 0.9], space: "one"))
        let update = RefUpdate(try RefName("models/current"), new: model)
        // The other side of a comparison moves.
        var waiting = try repository.begin(writer: testWriter())
        try repository.move(["features/prod": two])
        guard case .gates? = refError({ _ = try waiting.commit([update]) }) else {
            Issue.record("a model of another space was let in")
            return
        }
        // A refusal in the original state need not hold in the newer one.
        waiting = try repository.begin(writer: testWriter())
        try repository.move(["features/prod": one])
        #expect(try waiting.commit([update]).number != nil)
        // The policy changes.
        waiting = try repository.begin(writer: testWriter())
        let next = try Version(.model, "n", metrics: ["recall": 0.85]).write(into: waiting.objects)
        try gated.setGates([Self.metric.replacing("0.8", with: "0.95")])
        let late = RefUpdate(try RefName("models/current"), new: next)
        guard case .gates? = refError({ _ = try waiting.commit([late]) }) else {
            Issue.record("a model below the new bound was let in")
            return
        }
    }

    @Test("a race lost at any call never lets a mismatched pair in")
    func race() throws {
        var calls = 0
        var featuresFirst = 0
        let rejections = Mutex(0)
        while true {
            let gated = try GatedRepository()
            let repository = gated.repository
            try repository.put("features/prod", Version(.features, "1", space: "one"))
            try repository.put("models/current", Version(.model, "0"))
            let model = try repository.put("models/a", Version(.model, "m", space: "one"))
            let two = try repository.put("features/b", Version(.features, "2", space: "two"))
            let bucket = HookedBucket(gated.bucket)
            bucket.before(calls) {
                do { try repository.move(["features/prod": two]) } catch RefError.gates {
                    rejections.withLock { $0 += 1 }
                }
            }
            let slow = Repository(in: bucket)
            let error = refError {
                _ = try slow.begin(writer: testWriter(seed: 5)).commit([
                    RefUpdate(try RefName("models/current"), new: model)
                ])
            }
            let hasModel = try repository.target("models/current") == model
            let hasFeatures = try repository.target("features/prod") == two
            #expect(!(hasModel && hasFeatures), "call \(calls)")
            if hasModel { #expect(error == nil) } else { #expect(error?.fault == .refused) }
            #expect(bucket.hasHappened == (calls < bucket.calls))
            if !bucket.hasHappened { break }
            #expect(hasModel || hasFeatures, "call \(calls)")
            if hasFeatures { featuresFirst += 1 }
            calls += 1
        }
        #expect(calls > 3)
        #expect(featuresFirst > 0 && rejections.withLock { $0 } + featuresFirst == calls)
    }

    @Test("a removal passes gates that look at a snapshot, and a rehearsal commits nothing")
    func removal() throws {
        let gated = try GatedRepository(Self.metric)
        let repository = gated.repository
        let model = try repository.put(
            "models/current", Version(.model, "m", metrics: ["recall": 0.9]))
        let bad = try repository.put("models/bad", Version(.model, "bad"))
        let before = try repository.state().number
        let name = try RefName("models/current")
        let rehearsal = try repository.begin(writer: testWriter()).rehearse([
            RefUpdate(name, new: bad)
        ])
        #expect(rehearsal.gates.map(\.passes) == [false, true])
        #expect(rehearsal.refs == [RefChange(name: name, old: model, new: bad)])
        #expect(try repository.state().number == before)
        _ = try repository.begin(writer: testWriter()).commit([RefUpdate(name, new: nil)])
        #expect(try repository.target("models/current") == nil)
    }
}

extension String {
    /// The text with the first occurrence of a part replaced.
    fileprivate func replacing(_ part: String, with other: String) -> String {
        guard let range = firstRange(of: part) else { return self }
        return self[..<range.lowerBound] + other + self[range.upperBound...]
    }
}

@Suite("Moves that bypassed the gates")
struct UngatedMoveTests {
    private static let gate =
        #"{"ref":"models/current","type":"metric","metric":"recall","atLeast":0.8}"#

    /// Commits an entry without evaluating gates, as an attacker with write access to the directory would.
    private func smuggle(_ actions: [Action], into gated: GatedRepository) throws {
        let state = try gated.repository.state()
        let entry = LogEntry(
            number: state.number + 1, previous: state.entryHash, base: state.number,
            time: state.time, writer: "mallory@test", message: "",
            nonce: RandomBits(from: { UInt64(state.number) }), actions: actions)
        #expect(
            try gated.bucket.create(entryName(entry.number), entry.encoded) == .created)
    }

    private func verify(_ gated: GatedRepository) throws -> RepositoryVerifier.Report {
        try RepositoryVerifier(Repository(in: gated.bucket)).verify(full: true)
    }

    @Test("full verification reports a ref where a gate would refuse it, and notes older moves")
    func named() throws {
        let gated = try GatedRepository(Self.gate)
        let poor = try gated.repository.put(
            "models/a", Version(.model, "poor", metrics: ["recall": 0.5]))
        let good = try gated.repository.put(
            "models/b", Version(.model, "good", metrics: ["recall": 0.9]))
        try gated.repository.move(["models/current": good])
        #expect(try verify(gated).isSound)
        let current = try RefName("models/current")
        let since = try gated.repository.state().lastTransaction(of: current)
        try smuggle([.ref(current, old: good, new: poor, since: since)], into: gated)
        let number = try gated.repository.state().number
        let report = try verify(gated)
        let finding = try #require(report.findings.first)
        #expect(report.findings.count == 1)
        #expect(finding.place.description == entryName(number).description)
        #expect(finding.affects == ["models/current"])
        #expect(finding.problem.contains("0.8") && finding.problem.contains("0.5"))
        #expect(finding.remedy?.contains("rollback models/current") == true)
        #expect(try RepositoryVerifier(gated.repository).verify(full: false).isSound)
        // The ref's current target is valid again; its past is worth a note.
        try gated.repository.move(["models/current": good])
        let later = try verify(gated)
        #expect(later.isSound)
        #expect(later.notes.contains { $0.contains("(\(number))") })
    }

    @Test("an override explains a move, but only past the gates that it names")
    func overridden() throws {
        let gated = try GatedRepository(Self.gate)
        let poor = try gated.repository.put(
            "models/a", Version(.model, "poor", metrics: ["recall": 0.5]))
        let current = try RefName("models/current")
        _ = try gated.repository.begin(writer: testWriter()).commit(
            [RefUpdate(current, new: poor)], overriding: "because")
        #expect(try verify(gated).isSound)
        let worse = try gated.repository.put(
            "models/b", Version(.model, "worse", metrics: ["recall": 0.1]))
        let since = try gated.repository.state().lastTransaction(of: current)
        try smuggle(
            [
                .ref(current, old: poor, new: worse, since: since),
                .override(gates: ["metric of something else"], reason: "because"),
            ], into: gated)
        #expect(try verify(gated).findings.first?.affects == ["models/current"])
    }

    @Test("collected versions are counted, not judged again")
    func collected() throws {
        let gated = try GatedRepository(Self.gate)
        for recall in [0.85, 0.9] {
            let id = try gated.repository.put(
                "models/a", Version(.model, "\(recall)", metrics: ["recall": recall]))
            try gated.repository.move(["models/current": id])
        }
        _ = try collectAll(gated.repository)
        let report = try verify(gated)
        #expect(
            report.notes.contains { $0.contains("gates cannot judge 1 older") }, "\(report.notes)")
    }
}
