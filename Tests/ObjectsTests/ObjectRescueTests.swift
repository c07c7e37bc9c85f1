@testable import Maintenance
import Storage
import TestSupport
import Testing

@testable import Objects

@Suite("Restoring the objects of a damaged pack")
struct ObjectRescueTests {
    private func codecs(_ root: ObjectID, in store: PackStore) throws -> [ObjectID: Codec] {
        let pack = try #require(try store.packHoldingPiece(root)).pack
        var codecs: [ObjectID: Codec] = [:]
        for index in 0..<pack.footer.pieceCount {
            codecs[pack.footer.pieceID(at: index)] = try pack.piece(at: index).codec
        }
        return codecs
    }

    @Test("leaves of a table keep their codec, so that vectors are searched in place")
    func leaves() throws {
        var generator = SeededGenerator(seed: 3)
        var lines = ""
        for number in 0..<400 {
            let vector = (0..<64).map { _ in Double.random(in: -1...1, using: &generator) }
            lines += "{\"id\":\"\(number)x\",\"v\":\(vector)}\n"
        }
        let source = try JSONLinesSource(
            BytesBlob(Array(lines.utf8)), name: "rows", keyFields: ["id"], vectorField: "v")
        var repository = TestRepository()
        let (table, id) = try repository.commit { writer in
            let table = try Table.importing(source, in: writer) { () throws(ObjectError) in
                try writer.makeScratch()
            }
            let snapshot = Snapshot(
                kind: .features,
                content: .table(table),
                producer: .init(pipeline: "test", version: "1"),
                created: try #require(Timestamp(milliseconds: 0)), message: "")
            return (table, try writer.write(snapshot.encoded, hint: .structured))
        }
        let empty = TestRepository()
        var rescue = ObjectRescue(kept: empty.store, sources: [repository.store])
        _ = try rescue.bring(id, isHistory: false)
        #expect(rescue.lost.isEmpty)
        let pack = try #require(try rescue.writer.finish())
        let rescued = PackStore(bucket: empty.bucket, packs: [pack])
        let before = try codecs(table.root, in: repository.store)
        #expect(before.values.contains(.leaf))
        #expect(try codecs(table.root, in: rescued) == before)
    }
}
