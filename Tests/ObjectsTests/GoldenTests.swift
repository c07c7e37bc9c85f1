import Foundation
import Storage
import TestSupport
import Testing

@testable import Objects

/// Bytes that `Tests/Fixtures/golden_pack.py` made without any code of this package.
@Suite("Golden bytes")
struct GoldenTests {
    private static func fixture(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: Project.root.appending(path: "Tests/Fixtures/\(name)")))
    }

    private static func description() throws -> JSON {
        let bytes = try fixture("golden.json")
        return try JSON(parsing: bytes.span)
    }

    private static func id(_ json: JSON?) throws -> ObjectID {
        let text = try #require(json?.string)
        return try #require(ObjectID(hex: text))
    }

    private static func store() throws -> (PackStore, JSON) {
        let description = try description()
        let pack = try #require(description["pack"])
        let reference = PackReference(
            name: try id(pack["name"]), size: try #require(pack["size"]?.integer),
            indexOffset: try #require(pack["indexOffset"]?.integer))
        return (try TestRepository.store(try fixture("golden.pack"), as: reference), description)
    }

    @Test("every object of a pack by an independent writer is read")
    func pack() throws {
        let (store, description) = try Self.store()
        let objects = try #require(description["objects"]?.array)
        #expect(objects.count == 10)
        for object in objects {
            let id = try Self.id(object["id"])
            let size = try #require(object["size"]?.integer)
            #expect(try store.size(of: id) == size, "\(object)")
            let bytes = try store.read(id, limit: size)
            #expect(ObjectID(of: bytes.span) == id && bytes.count == size, "\(object)")
        }
        let pieces = try #require(description["pieces"]?.array)
        for piece in pieces {
            #expect(try store.size(of: try Self.id(piece)) == nil)
        }
    }

    @Test("that pack has a piece of every codec")
    func codecs() throws {
        let (store, _) = try Self.store()
        let footer = try store.open(store.packs[0]).footer
        var codecs: Set<Codec> = []
        for index in 0..<footer.pieceCount { codecs.insert(try footer.piece(at: index).codec) }
        #expect(codecs == Set(Codec.allCases))
    }

    @Test("an independent implementation computes the same codes of a leaf's vectors")
    func codes() throws {
        let (store, _) = try Self.store()
        let pack = try store.open(store.packs[0])
        var seen = 0
        for index in 0..<pack.footer.pieceCount {
            let piece = try pack.footer.piece(at: index)
            guard piece.codec == .leaf else { continue }
            let stored = try pack.storedPiece(at: index).storedBytes()
            let blocks = try LeafBlocks(
                decoding: stored.span, size: piece.size, storedSize: stored.count)
            guard blocks.hasCodes else { continue }
            let vectors = stored.span.extracting(blocks.vectors)
            let codes = VectorCodes(rows: blocks.rows, dimension: blocks.dimension)
            #expect(codes.encoded(of: vectors) == Array(stored[blocks.codes]))
            seen += 1
        }
        #expect(seen == 1)
    }

    @Test("the encoder turns the same entries into the same footer")
    func footer() throws {
        let (store, _) = try Self.store()
        let pack = try store.open(store.packs[0])
        let footer = pack.footer
        var pieces: [ObjectID: PackFooter.Piece] = [:]
        for index in 0..<footer.pieceCount {
            pieces[footer.pieceID(at: index)] = try footer.piece(at: index)
        }
        var recipes: [ObjectID: PackFooter.Recipe] = [:]
        for index in 0..<footer.recipeCount {
            recipes[footer.recipeID(at: index)] = try footer.recipe(at: index)
        }
        let bytes = PackFooter.encode(pieces: pieces, recipes: recipes, nonce: Array(0..<16))
        #expect(ObjectID(of: bytes.span) == pack.reference.name)
    }

    @Test("a snapshot by an independent writer is read and encodes to the same bytes")
    func snapshot() throws {
        let description = try Self.description()
        let golden = try #require(description["snapshot"])
        let text = try #require(golden["text"]?.string)
        let id = try Self.id(golden["id"])
        let snapshot = try Snapshot(decoding: Array(text.utf8))
        #expect(snapshot.encoded == Array(text.utf8))
        #expect(ObjectID(of: snapshot.encoded.span) == id)
        #expect(snapshot.kind == .model && snapshot.inputs.count == 2)
        #expect(snapshot.metrics["recall@10"] == 0.875)
        #expect(snapshot.message == "größer \"quoted\"\n")
    }

    @Test("numbers are spelled as an independent implementation spells them, and read back")
    func numbers() throws {
        let description = try Self.description()
        let numbers = try #require(description["numbers"]?.array)
        #expect(numbers.count > 1500)
        for pair in numbers {
            let pattern = try #require(pair.array?[0].string)
            let bits = try #require(UInt64(pattern, radix: 16))
            let text = try #require(pair.array?[1].string)
            let value = Double(bitPattern: bits)
            #expect(JSON.number(value).canonicalText == text)
            #expect(try JSON(canonical: Array(text.utf8)).number == value, "\(text)")
        }
    }
}
