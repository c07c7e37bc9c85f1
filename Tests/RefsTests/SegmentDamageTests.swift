@testable import Maintenance
import Objects
import Refs
import Storage
import Testing

@Suite("Damaged segments of the log")
struct SegmentDamageTests {
    /// A log of 141 single files, 64 of which are also in a segment.
    private func doubled() throws -> (MemoryBucket, early: State) {
        let (bucket, repository) = try longLog(4)
        let early = try repository.state()
        var state = early
        for _ in 4..<140 { state = try bucket.append(after: state) }
        let copy = try bucket.copy()
        try Repository(in: copy).log.gather(upTo: try repository.state())
        let bytes = try #require(try copy.read(segmentName(0, 63), limit: .max))
        try bucket.replace(segmentName(0, 63), bytes)
        return (bucket, early)
    }

    private static let damages: [@Sendable (inout [UInt8]) -> Void] = [
        { $0[100] ^= 1 }, { $0[$0.count / 2] ^= 1 }, { $0[$0.count - 300] ^= 0x10 },
        { $0 = [] }, { $0.removeLast() },
    ]

    @Test(
        "entries of a damaged segment are read from the files it replaced, if they exist",
        arguments: damages.indices)
    func spares(damage: Int) throws {
        let (bucket, _) = try doubled()
        let name = segmentName(0, 63)
        let entry = try Repository(in: bucket).log.entry(5)
        let expected = try Repository(in: bucket).state()
        try bucket.edit(name, Self.damages[damage])
        // So does a reader without a starting state.
        for isWhole in [true, false] {
            if !isWhole { try bucket.deleteCaches() }
            let repository = Repository(in: bucket)
            let state = try repository.state()
            #expect(state.entryHash == expected.entryHash)
            #expect(state.refs == expected.refs)
            for number in [0, 5, 32, 63] {
                #expect(try repository.log.entry(number).number == number)
            }
            #expect(try repository.log.entry(5) == entry)
            var reader = repository.log.newestFirst(in: state)
            var count = 0
            while try reader.next() != nil { count += 1 }
            #expect(count == 141)
            var history = repository.log.history(of: try RefName("models/a"), in: state)
            #expect(try history.next(.max).count == 70)
            let findings = try LogVerifier(repository.log).verify().findings
            #expect(findings.first?.place.description == name.description)
        }
    }

    @Test("a damaged segment whose files are gone is named, with the way to repair it")
    func gone() throws {
        for (index, damage) in Self.damages.enumerated() {
            let (bucket, _) = try doubled()
            for number in 0...63 { try bucket.delete(entryName(number)) }
            try bucket.edit(segmentName(0, 63), damage)
            try bucket.deleteCaches()
            let error = refError { _ = try Repository(in: bucket).state() }
            #expect(error?.fault == .damaged, "damage \(index)")
            #expect(error?.message.contains(segmentName(0, 63).description) == true)
            #expect(error?.remedy?.contains("verify --repair --from") == true)
        }
    }

    @Test("a late entry for a gathered number is void, also beside a damaged segment")
    func voidSpare() throws {
        let (bucket, early) = try doubled()
        let forged = try #require(try bucket.copyAppending(after: early, writer: "late"))
        try bucket.replace(entryName(5), forged)
        let name = segmentName(0, 63)
        for damage in Self.damages.suffix(2) {
            let copy = try bucket.copy()
            try copy.edit(name, damage)
            #expect(refError { _ = try Repository(in: copy).log.entry(5) }?.fault == .damaged)
            #expect(try Repository(in: copy).log.entry(4).number == 4)
            try copy.deleteCaches()
            #expect(refError { _ = try Repository(in: copy).state() }?.fault == .damaged)
        }
    }

    @Test("a damaged segment is rebuilt from the files it replaced")
    func repaired() throws {
        let bucket = MemoryBucket()
        let writer = testWriter()
        let repository = try Repository.create(in: bucket, writer: writer)
        for number in 0..<70 { try repository.put("models/a", text: "\(number)", writer: writer) }
        let state = try repository.state()
        let copy = try bucket.copy()
        let other = Repository(in: copy)
        for number in 0..<60 { try other.put("models/b", text: "\(number)", writer: writer) }
        let name = segmentName(0, 63)
        let bytes = try #require(try copy.read(name, limit: .max))
        for damage in Self.damages {
            try bucket.replace(name, bytes)
            try bucket.edit(name, damage)
            let report = try RepositoryRepair(
                Repository(in: bucket), copies: [], writer: writer
            ).run()
            #expect(report.done == ["\(name): rebuilt"])
            #expect(report.after.isSound, "\(report.after.findings)")
            #expect(try bucket.read(name, limit: .max) == bytes)
        }
        try expectSoundLog(bucket, at: state.number)
    }

    @Test("gathering continues past a damaged segment whose files exist")
    func gatheringPastDamage() throws {
        let (bucket, repository) = try longLog(1000)
        var state = try repository.state()
        let copy = try bucket.copy()
        try Repository(in: copy).log.gather(upTo: state)
        var bytes = try #require(try copy.read(segmentName(0, 63), limit: .max))
        bytes[100] ^= 1
        try bucket.replace(segmentName(0, 63), bytes)
        for _ in 0..<120 { state = try bucket.append(after: state) }
        try repository.log.gather(upTo: state)
        #expect(
            try bucket.list(.log).map(\.name).filter { $0.hasSuffix(".segment") }
                == [segmentName(0, 1023).name])
        try expectSoundLog(bucket, at: state.number)
    }

    @Test("single files are kept until their segment is sound")
    func damagedSegment() throws {
        let (bucket, repository) = try longLog(140)
        let copy = try bucket.copy()
        let state = try repository.state()
        try Repository(in: copy).log.gather(upTo: state)
        var bytes = try #require(try copy.read(segmentName(0, 63), limit: .max))
        bytes[100] ^= 1
        try bucket.replace(segmentName(0, 63), bytes)
        #expect(try repository.log.gather(upTo: state) == 0)
        for number in 0...63 { #expect(try bucket.read(entryName(number), limit: .max) != nil) }
    }
}

extension MemoryBucket {
    /// Deletes the hint and all checkpoints, so that a reader must begin at entry 0.
    fileprivate func deleteCaches() throws {
        try delete(tipName)
        for file in try list(.checkpoints) { try delete(BlobName(.checkpoints, file.name)) }
    }
}
