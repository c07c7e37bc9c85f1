import Storage
import TestSupport
import Testing

@testable import Objects

@Suite("Packs")
struct PackTests {
    private static let limit = ObjectWriter.pieceLimit

    @Test("objects of every size and kind are read back, whole, streamed and in part")
    func roundTrip() throws {
        var repository = TestRepository()
        var generator = SeededGenerator(seed: 9)
        var objects: [ObjectID: [UInt8]] = [:]
        let sizes = [0, 1, 2, 100, 4096, 65_535, 65_536, 65_537, 300_000]
        try repository.commit { writer in
            for kind in TestBytes.allCases {
                for size in sizes {
                    let bytes = kind.make(size)
                    objects[try writer.write(bytes, hint: .bulk)] = bytes
                    let other = kind.make(size / 3, seed: 8)
                    objects[try writer.write(other, hint: .structured)] = other
                }
            }
            for (id, bytes) in objects { #expect(try writer.read(id, limit: .max) == bytes) }
        }
        let store = repository.store
        for (id, bytes) in objects {
            #expect(ObjectID(of: bytes.span) == id)
            #expect(try store.size(of: id) == bytes.count)
            #expect(try store.read(id, limit: bytes.count) == bytes)
            var streamed: [UInt8] = []
            try store.stream(id) { streamed += $0 }
            #expect(streamed == bytes)
            let start = Int.random(in: 0...bytes.count + 5, using: &generator)
            let count = Int.random(in: 0...bytes.count + 5, using: &generator)
            let range = try store.read(id, offset: start, count: count)
            #expect(range == Array(bytes.dropFirst(start).prefix(count)))
        }
        #expect(repository.packs.count == 1)
    }

    @Test("objects at the limit of a piece and above it", arguments: [limit - 1, limit, limit + 1])
    func limits(size: Int) throws {
        var repository = TestRepository()
        let bytes = TestBytes.random.make(size)
        let id = try repository.commit { writer in
            let id = try writer.write(bytes, hint: .bulk)
            #expect(try writer.size(of: id) == size)
            #expect(try writer.read(id, limit: .max) == bytes)
            return id
        }
        #expect(id == ObjectID(of: bytes.span))
        #expect(try repository.store.read(id, limit: size) == bytes)
        #expect(try repository.store.pieces(of: id).count == 1 || size > Self.limit)
        #expect(throws: ObjectError.tooLarge(id, size: size, limit: size - 1)) {
            try repository.store.read(id, limit: size - 1)
        }
    }

    @Test("a large import is read back in any range, and progress adds up to its size")
    func largeImport() throws {
        var repository = TestRepository()
        var bytes = TestBytes.bfloat16.make(3_000_000) + TestBytes.random.make(3_000_000)
        bytes += TestBytes.text.make(3_000_000) + [UInt8](repeating: 0, count: 2_000_001)
        let source = BytesBlob(bytes)
        let progress = Total()
        let id = try repository.commit { writer in
            let id = try writer.importBytes(of: source) { progress.add($0) }
            #expect(try writer.read(id, limit: .max) == bytes)
            #expect(writer.statistics.rawBytes == bytes.count)
            #expect(writer.statistics.objects == 1)
            return id
        }
        #expect(progress.value == bytes.count)
        #expect(id == ObjectID(of: bytes.span))
        let store = repository.store
        #expect(try store.read(id, limit: .max) == bytes)
        let pieces = try store.pieces(of: id)
        #expect(pieces.count > 40 && pieces.reduce(0) { $0 + $1.size } == bytes.count)
        var generator = SeededGenerator(seed: 10)
        let inner = pieces[0].size
        for (start, count) in [(0, inner), (inner, 1), (inner - 1, 2), (bytes.count - 1, 9)]
            + (0..<20).map({ _ in
                let start = Int.random(in: 0..<bytes.count, using: &generator)
                return (start, Int.random(in: 0..<600_000, using: &generator))
            })
        {
            let range = try store.read(id, offset: start, count: count)
            #expect(range.elementsEqual(bytes.dropFirst(start).prefix(count)))
        }
        #expect(try store.read(id, offset: bytes.count, count: 1) == [])
        #expect(try store.read(id, offset: .max, count: .max) == [])
        #expect(try store.read(id, offset: 5, count: .max).count == bytes.count - 5)
    }

    @Test("a range reads only the pieces that it touches")
    func rangeCost() throws {
        var repository = TestRepository()
        let bytes = TestBytes.random.make(2_000_000)
        let id = try repository.commit { try $0.importBytes(of: BytesBlob(bytes)) }
        let store = repository.store
        _ = try store.read(id, offset: 1_000_000, count: 10)
        #expect(store.storedBytesRead <= 2 * CutParameters.content.maximum)
    }

    @Test("an absent object is missing and has no size")
    func missing() throws {
        var repository = TestRepository()
        try repository.commit { _ = try $0.write([1, 2, 3], hint: .bulk) }
        let id = ObjectID(of: [9].span)
        #expect(try repository.store.size(of: id) == nil)
        #expect(throws: ObjectError.missing(id)) { try repository.store.read(id, limit: 9) }
        #expect(throws: ObjectError.missing(id)) {
            try repository.store.read(id, offset: 0, count: 1)
        }
        #expect(throws: ObjectError.missing(id)) { try repository.store.stream(id) { _ in } }
        #expect(throws: ObjectError.missing(id)) { try repository.writer.read(id, limit: 9) }
    }

    @Test("a piece of a large object is not an object until it is written as one")
    func pieces() throws {
        var repository = TestRepository()
        let bytes = TestBytes.random.make(500_000)
        let whole = try repository.commit { try $0.importBytes(of: BytesBlob(bytes)) }
        let piece = try #require(try repository.store.pieces(of: whole).first)
        #expect(try repository.store.size(of: piece.id) == nil)
        let content = Array(bytes.prefix(piece.size))
        let first = repository.packs[0].name
        for round in 0..<3 {
            let id = try repository.commit { writer in
                let id = try writer.write(content, hint: .bulk)
                #expect(try writer.read(id, limit: .max) == content)
                #expect(writer.statistics.newBytes == 0)
                #expect(writer.reliedOn.contains(first))
                return id
            }
            #expect(id == piece.id)
            #expect(try repository.store.read(id, limit: .max) == content)
            #expect(repository.packs.count == 2, "round \(round)")
        }
        #expect(try repository.store.read(whole, limit: .max) == bytes)
    }

    @Test("a piece and an object that meet in one pack are both read")
    func pieceAndObjectTogether() throws {
        let bytes = TestBytes.random.make(500_000)
        let length = CutPlan().cuts(
            of: bytes.span, at: 0, size: bytes.count, atLeast: 1)[0]
        let content = Array(bytes.prefix(length))
        for objectFirst in [true, false] {
            var repository = TestRepository()
            let (whole, part) = try repository.commit { writer in
                if objectFirst { try writer.write(content, hint: .bulk) }
                let whole = try writer.importBytes(of: BytesBlob(bytes))
                return (whole, try writer.write(content, hint: .bulk))
            }
            #expect(try repository.store.read(whole, limit: .max) == bytes)
            #expect(try repository.store.read(part, limit: .max) == content)
        }
    }
}
