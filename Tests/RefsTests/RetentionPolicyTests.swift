@testable import Maintenance
@testable import Refs
import Objects
import Storage
import TestSupport
import Testing

@Suite("The policy decides how long versions are kept")
struct RetentionPolicyTests {
    private static let day = 86_400_000

    private static func rules(_ text: String) throws -> RetentionRules? {
        try AccessPolicy(decoding: Array("{\"signed\":false,\"retention\":\(text)}".utf8)).retention
    }

    @Test("rules are read, written canonically, and the first match wins")
    func encoding() throws {
        let rules = try #require(
            try Self.rules(
                """
                {"keep":"7d","keepLast":5,"refs":[{"ref":"models/current","keep":"52w"},
                {"ref":"models/*","keepLast":3}]}
                """))
        #expect(rules.base == Retention(milliseconds: 7 * Self.day, count: 5))
        #expect(
            rules.retention(of: try RefName("models/current"))
                == Retention(milliseconds: 364 * Self.day, count: 5))
        #expect(
            rules.retention(of: try RefName("models/a"))
                == Retention(milliseconds: 7 * Self.day, count: 3))
        #expect(rules.retention(of: try RefName("features/a")) == rules.base)
        #expect(
            rules.json.canonicalText
                == #"{"keep":"7d","keepLast":5,"refs":[{"keep":"364d","keepLast":5,"#
                + #""ref":"models/current"},{"keep":"7d","keepLast":3,"ref":"models/*"}]}"#)
        #expect(try RetentionRules(rules.json, as: "x") == rules)
        #expect(try Self.rules("{}") == .standard)
        for bad in [
            "[]", "{\"keep\":7}", "{\"keep\":\"7y\"}", "{\"keepLast\":0}", "{\"keepLast\":-1}",
            "{\"days\":1}", "{\"refs\":[{\"keep\":\"1d\"}]}", "{\"refs\":[{\"ref\":\"x\"}]}",
        ] {
            #expect(throws: JSONSchemaError.self, "\(bad)") { try Self.rules(bad) }
        }
    }

    @Test("a time beyond the text form is written as the longest one")
    func extremes() throws {
        for milliseconds in [0, 1, 999, 1_000, Int.max, Int.max / 2, 86_400_001] {
            let rules = RetentionRules(Retention(milliseconds: milliseconds, count: 1))
            let read = try RetentionRules(rules.json, as: "x")
            #expect(read.base.milliseconds <= milliseconds)
            #expect(read.json.canonicalText == rules.json.canonicalText)
        }
    }

    @Test("policies are compared by what they keep")
    func comparison() throws {
        func rules(_ base: (Int, Int), _ models: (Int, Int)? = nil) throws -> RetentionRules {
            RetentionRules(
                Retention(milliseconds: base.0, count: base.1),
                rules: try models.map {
                    [.init(try RefPattern("models/*"), Retention(milliseconds: $0.0, count: $0.1))]
                } ?? [])
        }
        #expect(try rules((5, 5)).keepsAtLeast(rules((5, 5))))
        #expect(try !rules((5, 4)).keepsAtLeast(rules((5, 5))))
        #expect(try !rules((4, 9)).keepsAtLeast(rules((5, 5))))
        #expect(try rules((5, 5), (9, 9)).keepsAtLeast(rules((5, 5), (9, 9))))
        #expect(try !rules((9, 9), (8, 9)).keepsAtLeast(rules((5, 5), (9, 9))))
        #expect(try !rules((5, 5)).keepsAtLeast(rules((5, 5), (9, 9))))
        #expect(try rules((9, 9)).keepsAtLeast(rules((5, 5), (9, 9))))
    }

    /// A signed repository in which a model and features had three values each.
    private func sample(_ retention: RetentionRules? = nil) throws -> SignedRepository {
        let signed = try SignedRepository()
        if let retention {
            let old = try signed.policy()
            try signed.repository.setAccessPolicy(
                try AccessPolicy(isSigned: true, keys: old.keys, gates: [], retention: retention),
                writer: signed.writer(signed.admin))
        }
        for number in 0..<3 {
            try signed.repository.put(
                "models/a", text: "\(number)", writer: signed.writer(signed.training))
            try signed.repository.put(
                "features/a", text: "features \(number)", writer: signed.writer(signed.features))
            signed.clock.advance(seconds: 86_400)
        }
        return signed
    }

    private static func options(_ keep: Int?, _ keepLast: Int?) -> CollectionOptions {
        var options = CollectionOptions()
        options.keep = keep
        options.keepLast = keepLast
        options.grace = 0
        return options
    }

    @Test("only an admin collects what the policy keeps; anyone may collect the rest")
    func rights() throws {
        let signed = try sample()
        let short = Self.options(0, 1)
        for key in [signed.features, signed.training] {
            let error = refError {
                _ = try signed.repository.collect(short, writer: signed.writer(key))
            }
            #expect(error?.fault == .refused)
            #expect(error?.remedy?.contains("ada") == true)
        }
        #expect(try signed.repository.state().packs.count == 6)
        var dry = short
        dry.isDryRun = true
        let plan = try signed.repository.collect(dry, writer: signed.writer(signed.features))
        #expect(plan.packs(.drop).count == 4)
        let report = try signed.repository.collect(short, writer: signed.writer(signed.admin))
        #expect(report.packs(.drop).count == 4)
        try expectWhole(signed.bucket)
        let state = try signed.repository.state()
        let entry = try signed.repository.log.entry(state.number)
        #expect(
            entry.actions.contains(
                .retain(RetentionRules(Retention(milliseconds: 0, count: 1)))))
        // Collecting what the policy does not keep needs no admin.
        let open = try sample(
            RetentionRules(
                Retention(milliseconds: 0, count: 1),
                rules: [
                    .init(
                        try RefPattern("models/*"),
                        Retention(milliseconds: 90 * Self.day, count: 9))
                ]))
        let collected = try open.repository.collect(
            Self.options(nil, nil), writer: open.writer(open.features))
        #expect(collected.packs(.drop).count == 2)
        let objects = try open.repository.objects(in: open.repository.state())
        var history = open.repository.log.history(
            of: try RefName("models/a"), in: try open.repository.state())
        while let version = try history.next() {
            guard let target = version.target else { continue }
            #expect(try objects.size(of: target) != nil)
        }
        #expect(try RepositoryVerifier(open.repository).verify(full: true).isSound)
    }

    @Test(
        "readers refuse a removal that claims less than the policy keeps, unless an admin signed it"
    )
    func forged() throws {
        let signed = try sample()
        let state = try signed.repository.state()
        let pack = try state.packs[0].name
        for (key, rules, isAccepted) in [
            (signed.features, RetentionRules(Retention(milliseconds: 0, count: 1)), false),
            (
                signed.features, RetentionRules(Retention(milliseconds: 90 * Self.day, count: 19)),
                false
            ),
            (signed.features, .standard, true),
            (signed.admin, RetentionRules(Retention(milliseconds: 0, count: 1)), true),
        ] {
            let bucket = try signed.bucket.copy()
            let entry = LogEntry(
                number: state.number + 1, previous: state.entryHash, base: state.number,
                time: state.time, writer: "mallory@test", message: "",
                nonce: RandomBits(from: { 7 }), actions: [.unpack(pack), .retain(rules)])
            let forged = try entry.signed(by: key, repository: state.repositoryID)
            _ = try bucket.create(entryName(entry.number), forged.encoded)
            let error = refError { _ = try Repository(in: bucket).state() }
            #expect((error == nil) == isAccepted, "\(key.name) \(rules)")
            if !isAccepted { #expect(error?.fault == .damaged) }
        }
    }

    @Test("verify finds data that was removed too early", arguments: [true, false])
    func unexplained(isClaimed: Bool) throws {
        let signed = try sample()
        let state = try signed.repository.state()
        #expect(try RepositoryVerifier(signed.repository).verify(full: true).isSound)
        // The pack of the first model, which the standard keeps.
        let entry = LogEntry(
            number: state.number + 1, previous: state.entryHash, base: state.number,
            time: state.time, writer: "mallory@test", message: "tidy up",
            nonce: RandomBits(from: { 7 }),
            actions: [.unpack(try state.packs[0].name)]
                + (isClaimed ? [.retain(.standard)] : []))
        let forged = try entry.signed(by: signed.features, repository: state.repositoryID)
        _ = try signed.bucket.create(entryName(entry.number), forged.encoded)
        let report = try RepositoryVerifier(Repository(in: signed.bucket)).verify(full: true)
        #expect(report.findings.map(\.affects) == [["models/a@{2}"]])
    }

    @Test("verify finds nothing after any collections, removals and moves back", arguments: 1...8)
    func explained(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let clock = TestClock()
        let bucket = MemoryBucket { clock.now.milliseconds }
        let repository = try Repository.create(in: bucket, writer: testWriter(clock: clock))
        var known: [ObjectID] = []
        for step in 0..<40 {
            let writer = testWriter(clock: clock, seed: UInt64(step + 2))
            let name = try RefName(["models/a", "models/b"].randomElement(using: &generator) ?? "")
            clock.advance(seconds: Int.random(in: 0...90_000, using: &generator))
            switch Int.random(in: 0..<8, using: &generator) {
            case 0..<3:
                let commit = try repository.put(name.text, text: "\(seed) \(step)", writer: writer)
                known += commit.refs.compactMap(\.new)
            case 3:
                guard let id = known.randomElement(using: &generator) else { continue }
                // It may have been collected.
                do throws(RefError) {
                    _ = try repository.begin(writer: writer).commit([RefUpdate(name, new: id)])
                } catch { #expect(error.fault == .missing, "\(error)") }
            case 4:
                guard try repository.state().target(of: name) != nil else { continue }
                _ = try repository.begin(writer: writer).commit([RefUpdate(name, new: nil)])
            default:
                var options = CollectionOptions()
                options.keep = Int.random(in: 0...3, using: &generator) * Self.day
                options.keepLast = Int.random(in: 1...3, using: &generator)
                options.grace = 0
                options.isPurge = Bool.random(using: &generator)
                _ = try repository.collect(options, writer: writer)
            }
        }
        let report = try RepositoryVerifier(repository).verify(full: true)
        #expect(report.findings.isEmpty, "seed \(seed)")
    }
}
