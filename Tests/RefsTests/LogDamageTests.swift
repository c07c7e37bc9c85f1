@testable import Maintenance
import Objects
import Refs
import Storage
import Testing

@Suite("Damage to the log")
struct LogDamageTests {
    /// A repository with `count` transactions, one put of models/a each.
    private func repository(_ count: Int) throws -> (MemoryBucket, Repository) {
        let bucket = MemoryBucket()
        let writer = testWriter()
        let repository = try Repository.create(in: bucket, writer: writer)
        for number in 0..<count {
            try repository.put(
                number % 3 == 0 ? "models/b" : "models/a", text: "\(number)", writer: writer)
        }
        return (bucket, repository)
    }

    private func expectDamaged(_ bucket: MemoryBucket, naming text: String? = nil) throws {
        let error = refError { _ = try Repository(in: bucket).state() }
        #expect(error?.fault == .damaged, "\(String(describing: error))")
        if let text { #expect(error?.message.contains(text) == true, "\(error?.message ?? "")") }
        let report = try LogVerifier(Repository(in: bucket).log).verify()
        #expect(!report.findings.isEmpty)
    }

    @Test(
        "a lost entry is noticed: any, the newest, the first (B125, B126, B128)",
        arguments: [0, 3, 5])
    func lost(_ number: Int) throws {
        let (bucket, _) = try repository(5)
        try bucket.delete(entryName(number))
        try expectDamaged(bucket, naming: entryName(number).description)
        let report = try LogVerifier(Repository(in: bucket).log).verify()
        #expect(report.findings.contains { $0.place.description == entryName(number).description })
    }

    @Test("a lost entry in the middle is noticed without a hint", arguments: [0, 3, 4])
    func lostWithoutHint(_ number: Int) throws {
        let (bucket, _) = try repository(5)
        try bucket.delete(tipName)
        try bucket.delete(entryName(number))
        try expectDamaged(bucket)
    }

    @Test("a lost tail beyond a checkpoint is noticed even without a hint")
    func lostTail() throws {
        let (bucket, _) = try repository(17)
        try bucket.delete(tipName)
        for number in 14...17 { try bucket.delete(entryName(number)) }
        try expectDamaged(bucket)
    }

    @Test("no writer writes into a gap of several entries, whatever a lagging hint says")
    func gap() throws {
        let (bucket, _) = try repository(18)
        let hint = try #require(try bucket.read(tipName, limit: 1000))
        let writer = testWriter(seed: 9)
        for number in 19...38 {
            try Repository(in: bucket).put("models/a", text: "\(number)", writer: writer)
        }
        let sound = try bucket.copy()
        try bucket.replace(tipName, hint)
        for number in [19, 20] { try bucket.delete(entryName(number)) }
        let error = refError {
            try Repository(in: bucket).put("models/a", text: "new", writer: writer)
        }
        #expect(error?.fault == .damaged)
        #expect(try bucket.read(entryName(19), limit: 10_000) == nil)
        // A copy repairs it.
        let report = try RepositoryRepair(
            Repository(in: bucket), copies: [Repository(in: sound)], writer: writer
        ).run()
        #expect(report.after.isSound)
        try Repository(in: bucket).put("models/a", text: "new", writer: writer)
    }

    @Test("a repair takes no entries from a history other than the one that the hint saw")
    func fork() throws {
        let (bucket, _) = try repository(1)
        let other = try bucket.copy()
        for (place, seed) in [(bucket, 20), (other, 30)] as [(MemoryBucket, UInt64)] {
            for number in 2...3 {
                try Repository(in: place).put(
                    "models/a", text: "\(seed) \(number)", writer: testWriter(seed: seed))
            }
        }
        let sound = try bucket.copy()
        for number in 2...3 { try bucket.delete(entryName(number)) }
        let writer = testWriter(seed: 40)
        let wrong = try RepositoryRepair(
            Repository(in: bucket), copies: [Repository(in: other)], writer: writer
        ).run()
        #expect(wrong.done.isEmpty && wrong.refused.count == 1)
        #expect(wrong.refused.first?.contains("is not the one that log/tip names") == true)
        #expect(!wrong.after.isSound)
        let right = try RepositoryRepair(
            Repository(in: bucket), copies: [Repository(in: sound)], writer: writer
        ).run()
        #expect(right.after.isSound)
        #expect(try Repository(in: bucket).state().number == 3)
    }

    @Test(
        "a repair takes no entries of a fork that ended before the hint",
        arguments: [4...5, 4...8])
    func shortFork(lost: ClosedRange<Int>) throws {
        let (bucket, _) = try repository(3)
        let other = try bucket.copy()
        let histories: [(MemoryBucket, UInt64, Int)] = [(bucket, 20, 8), (other, 30, 5)]
        for (place, seed, last) in histories {
            for number in 4...last {
                try Repository(in: place).put(
                    "models/a", text: "\(seed) \(number)", writer: testWriter(seed: seed))
            }
        }
        let sound = try bucket.copy()
        for number in lost { try bucket.delete(entryName(number)) }
        let writer = testWriter(seed: 40)
        let wrong = try RepositoryRepair(
            Repository(in: bucket), copies: [Repository(in: other)], writer: writer
        ).run()
        #expect(wrong.done.isEmpty)
        let reason =
            lost.upperBound == 5
            ? "transaction 6 here does not follow" : "it ends with transaction 5"
        #expect(wrong.refused.first?.contains(reason) == true)
        let right = try RepositoryRepair(
            Repository(in: bucket), copies: [Repository(in: sound)], writer: writer
        ).run()
        #expect(right.after.isSound)
        #expect(try Repository(in: bucket).state().number == 8)
    }

    @Test("a log that claims packs of absurd sizes is read to its end")
    func sizes() throws {
        let (bucket, repository) = try repository(1)
        let state = try repository.state()
        let packs = try (1...1100).map { number in
            let name = try #require(
                ObjectID(hex: String(repeating: "0", count: 60) + String(number + 1000)))
            return Action.pack(PackReference(name: name, size: 1 << 53 - 1, indexOffset: 100))
        }
        let entry = LogEntry(
            number: 2, previous: state.entryHash, base: 1, time: state.time, writer: "eve@test",
            message: "", nonce: RandomBits(from: { 7 }), actions: packs)
        #expect(try bucket.create(entryName(2), entry.encoded) == .created)
        #expect(try !RepositoryVerifier(repository).verify(full: true).isSound)
    }

    @Test("a verification names what a lost entry affects")
    func affects() throws {
        let (bucket, _) = try repository(5)
        try bucket.delete(entryName(2))
        let findings = try LogVerifier(Repository(in: bucket).log).verify().findings
        #expect(findings.first?.place.description == entryName(2).description)
        #expect(findings.first?.affects == ["models/a"])
    }

    @Test("any flip of any byte of any entry is noticed (B127)")
    func flips() throws {
        let (bucket, repository) = try repository(3)
        #expect(try LogVerifier(repository.log).verify().findings.isEmpty)
        for number in 0...3 {
            let original = try bucket.read(entryName(number), limit: .max) ?? []
            for index in stride(from: 0, to: original.count, by: 5) {
                try bucket.edit(entryName(number)) { $0[index] ^= 0x20 }
                #expect(refError { _ = try repository.state() } != nil)
                try bucket.replace(entryName(number), original)
            }
        }
    }

    @Test("empty, zeroed, cut and oversized entries are damage (B133, B134)", arguments: [1, 3])
    func garbage(_ number: Int) throws {
        let replacements: [([UInt8]) -> [UInt8]] = [
            { _ in [] }, { [UInt8](repeating: 0, count: $0.count) }, { Array($0.dropLast()) },
            { $0 + $0 }, { _ in [UInt8](repeating: 0x7B, count: (1 << 20) + 1) },
        ]
        for replacement in replacements {
            let (bucket, _) = try repository(3)
            let original = try bucket.read(entryName(number), limit: .max) ?? []
            try bucket.replace(entryName(number), replacement(original))
            try expectDamaged(bucket, naming: entryName(number).description)
        }
    }

    /// Replaces entry 2 of a log of two by another one, correctly sealed and chained.
    private func forge(
        number: Int = 2, previous: ObjectID? = nil, time: String? = nil, skew: Int? = nil,
        _ actions: (State) throws -> [Action]
    ) throws -> MemoryBucket {
        let (bucket, repository) = try repository(1)
        let state = try repository.state()
        let entry = LogEntry(
            number: number, previous: previous ?? state.entryHash, base: 0,
            time: try time.map { try #require(Timestamp($0)) } ?? state.time, skew: skew,
            writer: "eve", message: "", nonce: RandomBits(from: { 7 }), actions: try actions(state))
        try bucket.replace(entryName(2), entry.encoded)
        return bucket
    }

    @Test(
        "an entry that does not follow from the previous ones is damage, with the reason (B129 to B132)"
    )
    func semantics() throws {
        let name = try RefName("models/b")
        let other = ObjectID(of: Array("other".utf8).span)
        func target(_ state: State) throws -> ObjectID { try #require(state.target(of: name)) }
        func pack(_ state: State) throws -> PackReference { try #require(try state.packs.first) }
        let forgeries: [(String, (State) throws -> [Action])] = [
            ("old", { _ in [.ref(name, old: other, new: nil, since: 1)] }),
            ("old", { _ in [.ref(name, old: nil, new: other, since: 1)] }),
            ("since", { [.ref(name, old: try target($0), new: other, since: 0)] }),
            ("since", { [.ref(name, old: try target($0), new: other, since: nil)] }),
            ("new", { [.ref(name, old: try target($0), new: try target($0), since: 1)] }),
            (
                "second time",
                {
                    [
                        .ref(name, old: try target($0), new: other, since: 1),
                        .ref(name, old: try target($0), new: nil, since: 1),
                    ]
                }
            ),
            ("pack", { [.pack(try pack($0))] }),
            ("removed before", { _ in [.unpack(other), .unpack(other)] }),
            ("format", { [.format(version: 1, repository: $0.repositoryID)] }),
            ("actions", { _ in [] }),
        ]
        for (field, actions) in forgeries {
            try expectDamaged(try forge(actions), naming: field)
        }
        try expectDamaged(
            try forge(previous: other) { _ in [.unpack(other)] }, naming: "prev")
        try expectDamaged(try forge(number: 3) { _ in [.unpack(other)] }, naming: "n is 3")
        try expectDamaged(
            try forge(time: "2020-01-01T00:00:00.000Z") { _ in [.unpack(other)] }, naming: "time")
        for (skew, time) in [
            (300_000, nil), (-1, nil), (1 << 52, nil), (90_000_000, "2030-01-01T00:00:00.000Z"),
        ] as [(Int, String?)] {
            try expectDamaged(
                try forge(time: time, skew: skew) { _ in [.unpack(other)] }, naming: "skew")
        }
        let sound = try forge(skew: 300_001) { [.unpack(try pack($0).name)] }
        #expect(try Repository(in: sound).state().packs.isEmpty)
    }

    @Test("a pack that was removed is never added again, however long ago that was (B132)")
    func removedPack() throws {
        let (bucket, repository) = try repository(1)
        let pack = try #require(try repository.state().packs.first)
        func append(_ action: Action) throws {
            let state = try repository.state()
            let entry = LogEntry(
                number: state.number + 1, previous: state.entryHash, base: state.number,
                time: state.time, writer: "gc", message: "", nonce: RandomBits(from: { 7 }),
                actions: [action])
            #expect(try bucket.create(entryName(entry.number), entry.encoded) == .created)
        }
        try append(.unpack(pack.name))
        let soon = try bucket.copy()
        let again = LogEntry(
            number: 3, previous: try repository.log.entry(2).hash, base: 2,
            time: try repository.state().time, writer: "gc", message: "",
            nonce: RandomBits(from: { 7 }), actions: [.pack(pack)])
        try soon.replace(entryName(3), again.encoded)
        try expectDamaged(soon, naming: "removed before")
        for number in 0..<20 {
            try repository.put("models/c", text: "\(number)", writer: testWriter(seed: 3))
        }
        try append(.pack(pack))
        // Checkpoints list live packs only, so only a reader of the whole log knows an old name.
        let findings = try LogVerifier(repository.log).verify().findings
        #expect(findings.count == 1)
        #expect(findings.first?.problem.contains("added or removed before") == true)
    }

    @Test("a format of the future is refused as such")
    func format() throws {
        let bucket = MemoryBucket()
        let entry = LogEntry(
            number: 0, previous: nil, base: nil, time: TestClock().now, writer: "eve", message: "",
            nonce: RandomBits(from: { 7 }),
            actions: [.format(version: 99, repository: RandomBits(from: { 8 }))])
        try bucket.replace(entryName(0), entry.encoded)
        let error = refError { _ = try Repository(in: bucket).state() }
        #expect(error?.fault == .io)
        #expect(error?.message.contains("newer version of fti") == true)
    }

    @Test("a garbage hint is ignored when reading, and listed (B138)")
    func hint() throws {
        for garbage in ["garbage", "3 x - y\n", "99999999999999999999 a b c\n", "\0\0\0x"] {
            let (bucket, repository) = try repository(3)
            try bucket.replace(tipName, Array(garbage.utf8))
            #expect(try repository.state().number == 3)
            let findings = try LogVerifier(repository.log).verify().findings
            #expect(findings.map(\.place) == [.hint])
            #expect(try repository.put("models/a", text: "new", writer: testWriter()).number == 4)
        }
    }

    @Test("a hint torn by a crash is not damage, a flipped bit in one is")
    func tornHint() throws {
        let (bucket, repository) = try repository(3)
        let old = try #require(try bucket.read(tipName, limit: 256))
        try repository.put("models/a", text: "new", writer: testWriter())
        let new = try #require(try bucket.read(tipName, limit: 256))
        func isSound(_ bytes: [UInt8]) throws -> Bool {
            let copy = try bucket.copy()
            try copy.replace(tipName, bytes)
            let torn = Repository(in: copy)
            #expect(try torn.state().number == 4)
            let report = try RepositoryVerifier(torn).verify(full: false)
            #expect(report.notes.isEmpty != report.isSound)
            #expect(try torn.put("models/a", text: "next", writer: testWriter()).number == 5)
            #expect(try RepositoryVerifier(torn).verify(full: false).notes.isEmpty)
            return report.isSound
        }
        let first = try #require(zip(old, new).enumerated().first { $1.0 != $1.1 }).offset
        for end in [first + 1, 16, 64, 100, 128] {
            #expect(try isSound(Array(new[..<end] + old[end...])))
            #expect(try isSound(Array(old[..<end] + new[end...])))
            #expect(try isSound(Array(new[..<end])))
            #expect(try isSound(new[..<end] + [UInt8](repeating: 0, count: 256 - end)))
        }
        #expect(try isSound([]))
        for byte in [0, 1, 20, 80, 120] {
            var flipped = new
            flipped[byte] ^= 1
            #expect(try !isSound(flipped), "byte \(byte)")
        }
    }

    @Test("a hint that lags is not damage")
    func lag() throws {
        let (bucket, repository) = try repository(3)
        let old = try bucket.read(tipName, limit: .max) ?? []
        try repository.put("models/a", text: "new", writer: testWriter())
        try bucket.replace(tipName, old)
        #expect(try repository.state().number == 4)
        #expect(try LogVerifier(repository.log).verify().findings.isEmpty)
    }

    @Test("a log rewritten before the hint is damage")
    func rewritten() throws {
        let (bucket, repository) = try repository(2)
        let entry = try repository.log.entry(2)
        let other = LogEntry(
            number: 2, previous: entry.previous, base: entry.base, time: entry.time,
            writer: "eve", message: entry.message, nonce: entry.nonce, actions: entry.actions)
        try bucket.replace(entryName(2), other.encoded)
        try expectDamaged(bucket)
    }

    @Test("checkpoints that are garbage, or contradict the log, are ignored and listed (B139)")
    func checkpoints() throws {
        let (bucket, repository) = try repository(40)
        let names = try bucket.list(.checkpoints).map { BlobName(.checkpoints, $0.name) }
        #expect(names.count == 2)
        let expected = try repository.state()
        let stranger = MemoryBucket()
        let other = try Repository.create(in: stranger, writer: testWriter(seed: 99))
        for number in 0..<32 {
            try other.put("models/z", text: "\(number)", writer: testWriter(seed: 99))
        }
        for entry in try stranger.list(.checkpoints) {
            let name = BlobName(.checkpoints, entry.name)
            try bucket.replace(name, try stranger.read(name, limit: .max) ?? [])
        }
        let changes: [(inout [UInt8]) -> Void] = [
            { $0 = [] }, { $0.removeLast() }, { $0[$0.count / 2] ^= 1 },
            { $0 = [UInt8](repeating: 0, count: 500) },
        ]
        for change in changes {
            let copy = try bucket.copy()
            for name in names { try copy.edit(name, change) }
            for hint in [true, false] {
                if !hint { try copy.delete(tipName) }
                let state = try Repository(in: copy).state()
                #expect(state.entryHash == expected.entryHash)
                #expect(state.refs == expected.refs)
                #expect(try state.packs == expected.packs)
            }
            let report = try LogVerifier(Repository(in: copy).log).verify()
            #expect(report.findings.count == 4)
            #expect(report.state?.refs == expected.refs)
        }
    }

    @Test("strange names in the log are listed and do no harm (B140)")
    func strays() throws {
        let (bucket, repository) = try repository(3)
        for name in ["x.json", "00000000000000000006.json-", "3.json", "18446744073709551615.json"]
        {
            try bucket.replace(BlobName(.log, name), [1])
        }
        try bucket.replace(BlobName(.checkpoints, "x"), [1])
        #expect(try repository.state().number == 3)
        let report = try LogVerifier(repository.log).verify()
        #expect(report.findings.count == 5)
        #expect(report.state?.number == 3)
        #expect(report.entries == 4)
    }

    @Test("a log without its beginning is damage, and an empty bucket is not a repository")
    func beginning() throws {
        let bucket = MemoryBucket()
        #expect(
            refError { _ = try LogVerifier(Repository(in: bucket).log).verify() }?.fault == .missing
        )
        try bucket.replace(BlobName(.packs, String(repeating: "a", count: 64)), [1])
        #expect(refError { _ = try Repository(in: bucket).state() }?.fault == .damaged)
    }
}
