@testable internal import Objects

extension FuzzTarget {
    /// Pack indexes: an accepted one encodes to the same bytes, and names nothing outside the pack.
    ///
    /// The input is the number of bytes before the footer, in two bytes, and the footer. The target corrects magic
    /// and lengths, so that the fuzzer reaches what they guard.
    static let footers = FuzzTarget("footers") { example in
        example.footers.filter { $0.bytes.count < 4000 }.map { footer in
            [UInt8(footer.dataEnd & 0xFF), UInt8(footer.dataEnd >> 8 & 0xFF)] + footer.bytes
        } + withRecipes
    } run: { input throws(FuzzFinding) in
        guard input.count >= 2 + PackFooter.headerSize + PackFooter.trailerSize else { return }
        var bytes = Array(input.extracting(2..<input.count))
        bytes.replaceSubrange(0..<8, with: PackFooter.packMagic)
        bytes.removeLast(16)
        LittleEndian.append(UInt64(bytes.count + 16), to: &bytes)
        bytes += PackFooter.trailerMagic
        let dataEnd = Int(input[0]) | Int(input[1]) << 8
        guard let footer = try? PackFooter(decoding: bytes, dataEnd: dataEnd) else { return }
        var pieces: [ObjectID: PackFooter.Piece] = [:]
        var recipes: [ObjectID: PackFooter.Recipe] = [:]
        do throws(CodecError) {
            for index in 0..<footer.pieceCount {
                let id = footer.pieceID(at: index)
                pieces[id] = try footer.piece(at: index)
                guard footer.indexOfPiece(id) == index else { throw CodecError("a piece is lost") }
            }
            for index in 0..<footer.recipeCount {
                let id = footer.recipeID(at: index)
                recipes[id] = try footer.recipe(at: index)
                guard footer.indexOfRecipe(id) == index else {
                    throw CodecError("a recipe is lost")
                }
            }
        } catch { throw FuzzFinding("an accepted index is then refused: \(error.reason)") }
        for piece in pieces.values {
            try FuzzFinding.unless(
                piece.offset - piece.gap >= 8 && piece.offset + piece.storedSize <= dataEnd,
                "a piece lies outside of its pack")
        }
        try FuzzFinding.unless(
            PackFooter.encode(pieces: pieces, recipes: recipes, nonce: Array(bytes[8..<24]))
                == bytes,
            "an index has two encodings")
    }

    /// The index of a pack with two large objects, one of which has digest points and pieces of another pack.
    private static var withRecipes: [[UInt8]] {
        let ids = (0..<6).map { ObjectID(of: [UInt8($0)].span) }
        let stored = ids.prefix(4).enumerated().map { index, id in
            let piece = PackFooter.Piece(
                offset: 8 + 64 * index, storedSize: 64, size: 64, codec: .stored,
                isObject: index == 3, checksum: 7)
            return (id, piece)
        }
        let pieces = ids.prefix(3).map { PackFooter.PieceReference(id: $0, size: 64) }
        let point = PackFooter.DigestPoint(reference: 1, words: SIMD8(), rest: SIMD64())
        let recipes = [
            ids[4]: PackFooter.Recipe(size: 192, pieces: pieces, points: [point]),
            ids[5]: PackFooter.Recipe(
                size: 128, pieces: [pieces[0], PackFooter.PieceReference(id: ids[5], size: 64)]),
        ]
        let footer = PackFooter.encode(
            pieces: Dictionary(uniqueKeysWithValues: stored), recipes: recipes,
            nonce: [UInt8](repeating: 9, count: PackFooter.nonceSize))
        return [[UInt8((8 + 256) & 0xFF), 1] + footer]
    }
}
