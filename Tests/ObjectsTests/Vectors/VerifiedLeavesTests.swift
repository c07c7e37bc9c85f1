import Foundation
import Storage
import TestSupport
import Testing

@testable import Objects

@Suite("Verified leaves")
struct VerifiedLeavesTests {
    private static let dimension = 40
    private static let moment = 1_780_000_000_000

    /// The parts of a leaf that are used in place.
    enum Part: CaseIterable {
        case codes, vectors
    }

    /// A table in one pack, whose file can be changed.
    private final class Bench {
        private let directory: TemporaryDirectory
        let bucket: any Bucket
        let table: Table
        let pack: PackReference
        let file: [UInt8]

        init() throws {
            directory = try TemporaryDirectory()
            bucket = try DirectoryBucket.create(at: directory.path)
            let writer = ObjectWriter(
                bucket: bucket, existing: PackStore(bucket: bucket, packs: []))
            table = try Table.build(
                rows: (0..<300).map { TableSamples.row($0, dimension: dimension) },
                dimension: dimension, in: writer)
            pack = try #require(try writer.finish())
            file = try #require(try bucket.read(pack.blobName, limit: .max))
        }

        /// Opens the current file, and checks every code and number.
        func read(_ verified: VerifiedLeaves) throws {
            let store = PackStore(bucket: bucket, packs: [pack])
            let vectors = try TableVectors(table, in: store, verified: verified)
            let isInPlace = vectors.blocks.allSatisfy(\.isInPlace)
            #expect(isInPlace)
            for block in vectors.blocks { _ = try block.codes() }
            _ = try vectors.matrix()
        }

        func replaceFile(_ bytes: [UInt8]) throws {
            let path = directory(pack.blobName.description)
            try FileManager.default.removeItem(atPath: path)
            #expect(FileManager.default.createFile(atPath: path, contents: Data(bytes)))
        }

        /// The file with a part of each leaf forged, under the original checksums.
        func forged(_ part: Part) throws -> [UInt8] {
            var forged = file
            let footer = try OpenPack(pack, in: bucket).footer
            for index in 0..<footer.pieceCount {
                let chunk = try footer.piece(at: index)
                guard chunk.codec == .leaf else { continue }
                let range = chunk.offset..<chunk.offset + chunk.storedSize
                let stored = Array(file[range])
                let blocks = try LeafBlocks(
                    decoding: stored.span, size: chunk.size, storedSize: stored.count)
                let place = part == .codes ? blocks.codes : blocks.vectors
                let old = Array(stored[place])
                let new = Forgery.bytes(like: old) { $0[old.count / 2] ^= 0x55 }
                #expect(new != old && Checksum.of(new.span) == Checksum.of(old.span))
                let start = chunk.offset + place.lowerBound
                forged.replaceSubrange(start..<start + new.count, with: new)
                #expect(Checksum.of(Array(forged[range]).span) == chunk.checksum)
            }
            #expect(forged != file)
            return forged
        }
    }

    private static func expectDamage(_ body: () throws -> Void) {
        var isDamage = false
        do { try body() } catch { isDamage = (error as? ObjectError)?.fault == .damaged }
        #expect(isDamage)
    }

    @Test(
        "codes and vectors forged under valid checksums are found, at the first opening and later",
        arguments: Part.allCases)
    func forgery(part: Part) throws {
        let bench = try Bench()
        let known = try VerifiedLeaves()
        try bench.read(known)
        try bench.replaceFile(try bench.forged(part))
        Self.expectDamage { try bench.read(try VerifiedLeaves()) }
        Self.expectDamage { try bench.read(known) }
        // Damage is not remembered as verified.
        try bench.replaceFile(bench.file)
        try bench.read(known)
    }

    @Test("leaves are verified once, and the result is remembered")
    func memory() throws {
        let bench = try Bench()
        let moment = try #require(Timestamp(milliseconds: Self.moment))
        let first = try VerifiedLeaves(nil, moment: moment)
        try bench.read(first)
        let stored = try #require(first.encoded())
        let second = try VerifiedLeaves(stored, moment: moment)
        try bench.read(second)
        #expect(second.encoded() == nil)
        try bench.replaceFile(try bench.forged(.codes))
        Self.expectDamage { try bench.read(second) }
        // A damaged file, another magic or another secret counts as no file.
        for index in [0, 9, 20, stored.count / 2, stored.count - 1] {
            var damaged = stored
            damaged[index] ^= 1
            Self.expectDamage { try bench.read(try VerifiedLeaves(damaged, moment: moment)) }
        }
        try bench.replaceFile(bench.file)
        for length in [0, 1, 40, stored.count - 1] {
            let anew = try VerifiedLeaves(Array(stored.prefix(length)), moment: moment)
            try bench.read(anew)
            #expect(anew.encoded() != nil)
        }
    }

    @Test("a keyed hash depends on every byte, the length and the secret")
    func keyedHash() {
        var random = SeededGenerator(seed: 5)
        let secret = (0..<32).map { _ in UInt8.random(in: 0...255, using: &random) }
        let hash = KeyedHash(secret: secret)
        #expect(hash.digest([UInt8]().span) != hash.digest([0].span))
        for count in [1, 7, 8, 1023, 1024, 1025, 3000] {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            let digest = hash.digest(bytes.span)
            #expect(digest == KeyedHash(secret: secret).digest(bytes.span))
            #expect(digest != KeyedHash(secret: [1] + secret.dropFirst()).digest(bytes.span))
            #expect(digest != hash.digest((bytes + [0]).span))
            for index in stride(from: 0, to: count, by: max(1, count / 50)) {
                var other = bytes
                other[index] ^= 1 << UInt8.random(in: 0...7, using: &random)
                #expect(hash.digest(other.span) != digest)
            }
        }
    }

    @Test("a keyed hash equals its definition")
    func sums() {
        var random = SeededGenerator(seed: 6)
        let hash = KeyedHash(secret: Array(repeating: 7, count: 32))
        let bytes = (0..<2500).map { _ in UInt8.random(in: 0...255, using: &random) }
        var key: [UInt64] = []
        for counter in 0..<UInt64(32) {
            var input = [UInt8](repeating: 7, count: 32)
            LittleEndian.append(counter, to: &input)
            let id = ObjectID(of: input.span)
            key += [id.word0, id.word1, id.word2, id.word3]
        }
        var expected: [UInt8] = []
        let padded = bytes + [UInt8](repeating: 0, count: 3072 - 2500)
        for block in 0..<3 {
            var sum: UInt128 = 0
            for pair in 0..<64 {
                let at = block * 1024 + pair * 16
                let low = LittleEndian.uint64(padded.span, at: at) &+ key[2 * pair]
                let high = LittleEndian.uint64(padded.span, at: at + 8) &+ key[2 * pair + 1]
                sum &+= UInt128(low) &* UInt128(high)
            }
            LittleEndian.append(UInt64(truncatingIfNeeded: sum), to: &expected)
            LittleEndian.append(UInt64(truncatingIfNeeded: sum >> 64), to: &expected)
        }
        LittleEndian.append(UInt64(2500), to: &expected)
        let id = ObjectID(of: expected.span)
        #expect(hash.digest(bytes.span) == .init(word0: id.word0, word1: id.word1))
    }
}

/// Forges other bytes with the same CRC-32C.
enum Forgery {
    /// Changed bytes whose last eight restore the checksum.
    static func bytes(like old: [UInt8], change: (inout [UInt8]) -> Void) -> [UInt8] {
        var bytes = old
        change(&bytes)
        let start = bytes.count - 8
        let base = Checksum.of(bytes.span)
        var wanted = base ^ Checksum.of(old.span)
        // The effect of each of the last bits on the checksum, in echelon form.
        var rows: [(effect: UInt32, flips: UInt64)] = []
        for bit in 0..<64 {
            var flipped = bytes
            flipped[start + bit / 8] ^= 1 << UInt8(bit % 8)
            var row = (effect: Checksum.of(flipped.span) ^ base, flips: UInt64(1) << UInt64(bit))
            for other in rows where row.effect ^ other.effect < row.effect {
                row = (row.effect ^ other.effect, row.flips ^ other.flips)
            }
            guard row.effect != 0 else { continue }
            rows.append(row)
            rows.sort { $0.effect > $1.effect }
        }
        var flips: UInt64 = 0
        for row in rows where wanted ^ row.effect < wanted {
            wanted ^= row.effect
            flips ^= row.flips
        }
        for bit in 0..<64 where flips >> UInt64(bit) & 1 == 1 {
            bytes[start + bit / 8] ^= 1 << UInt8(bit % 8)
        }
        return bytes
    }
}
