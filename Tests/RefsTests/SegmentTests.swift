@testable import Maintenance
import Objects
import Refs
import Storage
import TestSupport
import Testing

@Suite("Segments of the log")
struct SegmentTests {
    private func names(_ bucket: MemoryBucket) throws -> [String] {
        try bucket.list(.log).map(\.name).sorted()
    }

    private func files(_ numbers: ClosedRange<Int>, of bucket: MemoryBucket) throws -> [[UInt8]] {
        try numbers.map { try #require(try bucket.read(entryName($0), limit: .max)) }
    }

    @Test("old entries are gathered unchanged, and every reader finds them")
    func gathering() throws {
        let (bucket, repository) = try longLog(200)
        let old = try files(0...127, of: bucket)
        let before = try repository.state()
        let entries = try (0...200).map { try repository.log.entry($0) }
        #expect(try repository.log.gather(upTo: before) == 128)
        let segments = try names(bucket).filter { $0.hasSuffix(".segment") }
        #expect(segments == [0, 64].map { segmentName($0, $0 + 63).name })
        let bytes = try #require(try bucket.read(segmentName(0, 63), limit: .max))
        #expect(bytes.starts(with: old[0...63].joined()))
        let index = String(decoding: bytes[old[0...63].joined().count...], as: UTF8.self)
        #expect(index.split(separator: "\n").map { Int($0) }[1] == old[0].count)

        try expectSoundLog(bucket, at: 200)
        let after = try Repository(in: bucket).state()
        #expect(after.refs == before.refs)
        #expect(after.entryHash == before.entryHash)
        for number in [0, 1, 63, 64, 127, 128, 200] {
            #expect(try repository.log.entry(number) == entries[number])
        }
        var reader = repository.log.entries()
        for number in (0...200).reversed() {
            #expect(try reader.entry(number) == entries[number])
        }
        #expect(refError { _ = try reader.entry(201) } == .noTransaction(201))
        var history = repository.log.history(of: try RefName("models/a"), in: after)
        #expect(try history.next(.max).count == 100)
    }

    @Test("a thousand entries become one file, and few files are left")
    func large() throws {
        let (bucket, repository) = try longLog(1000)
        var state = try repository.state()
        try repository.log.gather(upTo: state)
        #expect(try names(bucket).filter { $0.hasSuffix(".segment") }.count == 14)
        for _ in 0..<200 { state = try bucket.append(after: state) }
        try repository.log.gather(upTo: state)
        #expect(
            try names(bucket).filter { $0.hasSuffix(".segment") }
                == [(0, 1023), (1024, 1087)].map { segmentName($0.0, $0.1).name })
        #expect(try names(bucket).count == 3 + 113)
        try expectSoundLog(bucket, at: 1200)
    }

    @Test("writers gather old entries automatically")
    func automatic() throws {
        let (bucket, repository) = try longLog(190)
        let writer = testWriter(seed: 2)
        for text in ["1", "2"] { try repository.put("models/c", text: text, writer: writer) }
        #expect(try names(bucket).contains(segmentName(0, 63).name))
        #expect(try names(bucket).contains(segmentName(64, 127).name))
        #expect(try bucket.read(entryName(127), limit: .max) == nil)
        #expect(try bucket.read(entryName(128), limit: .max) != nil)
        try expectSoundLog(bucket, at: 192)
    }

    @Test("gathering that stops anywhere does no harm, and the next one finishes it")
    func interrupted() throws {
        let (original, _) = try longLog(140)
        for changes in [0, 1, 2, 3, 10, 64, 65] {
            let memory = try original.copy()
            let bucket = HookedBucket(memory)
            bucket.fail(afterChanges: changes)
            let repository = Repository(in: bucket)
            let state = try repository.state()
            #expect(
                refError { try repository.log.gather(upTo: state) }
                    == .storage(HookedBucket.failure))
            #expect(bucket.failures > 0)
            try expectSoundLog(memory, at: 140)
            try Repository(in: memory).log.gather(upTo: state)
            #expect(try names(memory).count == 2 + 141 - 64)
            try expectSoundLog(memory, at: 140)
        }
    }

    @Test("a writer whose number was gathered meanwhile detects it and commits later")
    func staleWriter() throws {
        let (memory, _) = try longLog(1)
        let bucket = InterposingBucket(memory)
        bucket.beforeEntry {
            var state = try Repository(in: memory).state()
            for _ in 0..<160 { state = try memory.append(after: state) }
            try Repository(in: memory).log.gather(upTo: state)
            #expect(try memory.read(entryName(2), limit: .max) == nil)
        }
        let commit = try Repository(in: bucket).put(
            "models/c", text: "late", writer: testWriter(seed: 9))
        #expect(bucket.hasHappened)
        #expect(commit.number == 162)
        #expect(try memory.read(entryName(2), limit: .max) == nil)
        try expectSoundLog(memory, at: 162)
    }

    @Test("a late entry for a gathered number is void for all readers")
    func void() throws {
        let (bucket, repository) = try longLog(1)
        let early = try repository.state()
        let forged = try #require(try bucket.copyAppending(after: early, writer: "late"))
        var state = early
        for _ in 0..<160 { state = try bucket.append(after: state) }
        let real = try repository.log.entry(2)
        try repository.log.gather(upTo: state)
        try bucket.replace(entryName(2), forged)
        #expect(try repository.log.entry(2) == real)
        #expect(try repository.log.refreshed(early).entryHash == state.entryHash)
        try expectSoundLog(bucket, at: 161)
        try repository.log.gather(upTo: state)
        #expect(try bucket.read(entryName(2), limit: .max) == nil)
        try expectSoundLog(bucket, at: 161)
    }

    @Test("a repository whose first entry is gathered cannot be created again")
    func creation() throws {
        let (bucket, repository) = try longLog(140)
        try repository.log.gather(upTo: try repository.state())
        let error = refError { _ = try Repository.create(in: bucket, writer: testWriter()) }
        #expect(error == .repositoryExists(location: bucket.location))
        try expectSoundLog(bucket, at: 140)
    }

    @Test("any flipped byte of a segment is found, and the segment is named")
    func flips() throws {
        let (bucket, repository) = try longLog(140)
        try repository.log.gather(upTo: try repository.state())
        let name = segmentName(0, 63)
        let original = try #require(try bucket.read(name, limit: .max))
        let places = Array(stride(from: 3, to: original.count, by: 997))
        for index in places + Array((original.count - 24)..<original.count) {
            try bucket.edit(name) { $0[index] ^= 0x10 }
            let report = try LogVerifier(repository.log).verify()
            #expect(report.findings.first?.place.description == name.description, "byte \(index)")
            try bucket.replace(name, original)
        }
        for change: (inout [UInt8]) -> Void in [
            { $0 = [] }, { $0.removeLast() }, { $0.append(0x0A) },
            { $0 = [UInt8](repeating: 0, count: 3000) },
        ] {
            try bucket.edit(name, change)
            let findings = try LogVerifier(repository.log).verify().findings
            #expect(findings.first?.place.description == name.description)
            #expect(findings.first?.affects.isEmpty == false)
            #expect(refError { _ = try repository.log.entry(5) }?.fault == .damaged)
            try bucket.replace(name, original)
        }
        try bucket.delete(name)
        let findings = try LogVerifier(repository.log).verify().findings
        #expect(findings.first?.problem == "it is missing, as are all up to 63")
        #expect(refError { _ = try repository.log.entry(5) } == .noTransaction(5))
    }

    @Test("names that are not segments are listed and ignored")
    func strays() throws {
        let (bucket, _) = try longLog(3)
        let digits = String(repeating: "0", count: 17)
        for name in [
            "\(digits)001-\(digits)064.segment", "\(digits)000-\(digits)031.segment",
            "\(digits)063-\(digits)000.segment", "0-63.segment",
        ] {
            try bucket.replace(BlobName(.log, name), [1])
        }
        #expect(try Repository(in: bucket).state().number == 3)
        #expect(try LogVerifier(Repository(in: bucket).log).verify().findings.count == 4)
    }
}
