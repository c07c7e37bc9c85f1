@testable import Maintenance
import Foundation
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Objects

@Suite("Fetching and checking by several threads")
struct FetchTests {
    /// A recipe of pieces with the given sizes; some pieces are equal.
    private static func object(
        pieces sizes: [Int], in repository: inout TestRepository
    ) throws -> (id: ObjectID, bytes: [UInt8]) {
        try repository.commit { writer in
            var pieces: [PackFooter.PieceReference] = []
            var whole: [UInt8] = []
            for (number, size) in sizes.enumerated() {
                let kind = TestBytes.allCases[number % TestBytes.allCases.count]
                let bytes = kind.make(size, seed: UInt64(number % 5))
                pieces.append(
                    try writer.writePiece(ObjectID(of: bytes.span), bytes.span, hint: .bulk))
                whole += bytes
            }
            let id = ObjectID(of: whole.span)
            try writer.writeRecipe(id, .init(size: whole.count, pieces: pieces))
            return (id, whole)
        }
    }

    private static func entry(_ id: ObjectID, size: Int) throws -> TreeEntry {
        TreeEntry(name: try FileName("whole"), mode: .file, size: size, id: id)
    }

    private static func export(
        _ id: ObjectID, size: Int, of store: PackStore, to directory: TemporaryDirectory,
        threads: Int
    ) throws {
        let tree = try DestinationTree(at: directory("out"))
        try TreeExport(from: store, to: tree).writeFile(
            try entry(id, size: size), as: try RelativePath("whole"), threads: threads)
    }

    @Test("an object of any number of pieces is written out as it was", arguments: 1...5)
    func roundTrip(threads: Int) throws {
        var repository = TestRepository()
        for count in [1, 2, 3, 4, 7, 8, 9, 19, 20, 21, 40, 41, 100] {
            let sizes = (0..<count).map { 1 + ($0 * 977 + count) % 2000 }
            let (id, bytes) = try Self.object(pieces: sizes, in: &repository)
            let directory = try TemporaryDirectory()
            try Self.export(
                id, size: bytes.count, of: repository.store, to: directory, threads: threads)
            let file = try Data(contentsOf: directory.url.appending(path: "out/whole"))
            #expect(file.elementsEqual(bytes))
        }
        #expect(repository.store.audit(full: true, threads: threads) == [])
    }

    @Test("files around the sizes of groups come back as they were")
    func imports() throws {
        var repository = TestRepository()
        let group = 4 << 20
        for size in [0, 1, 65_536, 65_537, group - 1, group, group + 1, 2 * group + 77] {
            let bytes = TestBytes.counters.make(size)
            let id = try repository.commit { try $0.importBytes(of: BytesBlob(bytes)) }
            #expect(id == ObjectID(of: bytes.span))
            let directory = try TemporaryDirectory()
            try Self.export(id, size: size, of: repository.store, to: directory, threads: 3)
            let file = try Data(contentsOf: directory.url.appending(path: "out/whole"))
            #expect(file.elementsEqual(bytes))
        }
    }

    @Test("a flip in any piece leaves no file, and verification names the piece and the object")
    func flips() throws {
        var repository = TestRepository()
        let (id, bytes) = try Self.object(
            pieces: (0..<24).map { 300 + 40 * $0 }, in: &repository)
        let pack = repository.packs[0]
        let file = try repository.bytes(of: pack)
        let footer = try OpenPack(pack, in: repository.bucket).footer
        var damagedCount = 0
        for index in 0..<footer.pieceCount {
            let piece = try footer.piece(at: index)
            var damaged = file
            damaged[piece.offset + piece.storedSize - 1] ^= 0x80
            let store = try TestRepository.store(damaged, as: pack)
            // Some flips do not matter to the codec.
            guard (try? store.read(footer.pieceID(at: index), limit: .max)) == nil else {
                continue
            }
            damagedCount += 1
            let directory = try TemporaryDirectory()
            for threads in 1...5 {
                #expect {
                    try Self.export(
                        id, size: bytes.count, of: store, to: directory, threads: threads)
                } throws: {
                    ($0 as? ObjectError)?.fault == .damaged
                }
                #expect(try directory.names(in: "out") == [])
                let damage = store.audit(full: true, threads: threads)
                #expect(Set(damage.map(\.object)) == [footer.pieceID(at: index), id])
            }
        }
        #expect(damagedCount > footer.pieceCount / 2)
    }

    @Test("sound pieces that do not form the object leave no file")
    func wrongWhole() throws {
        var repository = TestRepository()
        let wrong = ObjectID(of: [9].span)
        try repository.commit { writer in
            var pieces: [PackFooter.PieceReference] = []
            for size in 100..<130 {
                let bytes = TestBytes.random.make(size)
                pieces.append(
                    try writer.writePiece(ObjectID(of: bytes.span), bytes.span, hint: .bulk))
            }
            let size = pieces.reduce(0) { $0 + $1.size }
            try writer.writeRecipe(wrong, .init(size: size, pieces: pieces))
        }
        let store = repository.store
        let size = try #require(try store.size(of: wrong))
        for threads in 1...3 {
            let directory = try TemporaryDirectory()
            #expect(throws: ObjectError.self) {
                try Self.export(wrong, size: size, of: store, to: directory, threads: threads)
            }
            #expect(try directory.names(in: "out") == [])
            #expect(store.audit(full: true, threads: threads).map(\.object) == [wrong])
        }
        let directory = try TemporaryDirectory()
        #expect(throws: ObjectError.self) {
            try Self.export(wrong, size: size + 1, of: store, to: directory, threads: 2)
        }
        #expect(try directory.names(in: "out") == [])
    }

    @Test("verification finds a flip in every copy of a piece, in the same order each time")
    func copies() throws {
        let bytes = TestBytes.random.make(900)
        let id = ObjectID(of: bytes.span)
        let bucket = MemoryBucket()
        var packs: [PackReference] = []
        // Each pack has a copy of its own, and one more object.
        for number in 0..<4 {
            var repository = TestRepository()
            try repository.commit {
                try $0.write(bytes, hint: .bulk)
                try $0.write(TestBytes.random.make(400, seed: UInt64(number)), hint: .bulk)
                let piece = try $0.writePiece(
                    ObjectID(of: bytes.span), bytes.span, hint: .bulk)
                let whole = ObjectID(of: (bytes + bytes).span)
                try $0.writeRecipe(whole, .init(size: 1800, pieces: [piece, piece]))
            }
            let pack = repository.packs[0]
            var file = try repository.bytes(of: pack)
            let footer = try OpenPack(pack, in: repository.bucket).footer
            let piece = try footer.piece(at: try #require(footer.indexOfPiece(id)))
            if number != 2 { file[piece.offset + 5] ^= 1 }
            _ = try bucket.create(BlobName(.packs, pack.name.hex), file)
            packs.append(pack)
        }
        let store = PackStore(bucket: bucket, packs: packs)
        let first = store.audit(full: true, threads: 1)
        let pieces = first.filter { $0.object == id }.map(\.pack)
        #expect(pieces == [0, 1, 3].map { packs[$0].name })
        // Each recipe is read from the copy in the newest pack.
        #expect(first.filter { $0.object != id }.count == 4)
        for threads in 1...5 {
            #expect(store.audit(full: true, threads: threads) == first)
        }
    }

    @Test("every byte is read once when each piece belongs to one object")
    func readsOnce() throws {
        var repository = TestRepository()
        _ = try Self.object(pieces: [500, 600, 700], in: &repository)
        try repository.commit { _ = try $0.write(TestBytes.text.make(3000), hint: .bulk) }
        let store = repository.store
        let count = Atomic<Int>(0)
        #expect(store.audit(full: true, threads: 2) { count.add($0, ordering: .relaxed) } == [])
        #expect(count.load(ordering: .relaxed) == 500 + 600 + 700 + 3000)
    }

    @Test("a missing pack is reported once, and the others are still checked")
    func gone() throws {
        var repository = TestRepository()
        _ = try Self.object(pieces: [500, 600], in: &repository)
        let lost = PackReference(name: ObjectID(of: [1].span), size: 100, indexOffset: 50)
        let store = PackStore(bucket: repository.bucket, packs: [lost] + repository.packs)
        let damage = store.audit(full: true, threads: 3)
        #expect(damage.map(\.pack) == [lost.name])
        #expect(damage.map(\.object) == [nil])
    }
}
