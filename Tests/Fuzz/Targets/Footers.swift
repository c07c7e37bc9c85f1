@testable internal import Objects

extension FuzzTarget {
    /// The index of a pack: what is accepted encodes to the same bytes, and names nothing outside of the pack.
    ///
    /// The input is the number of bytes before the footer, in two bytes, and the footer; magic and lengths are put
    /// right, so that what is behind them is reached.
    static let footers = FuzzTarget("footers") { example in
        example.footers.filter { $0.bytes.count < 4000 }.map { footer in
            [UInt8(footer.dataEnd & 0xFF), UInt8(footer.dataEnd >> 8 & 0xFF)] + footer.bytes
        }
    } run: { input throws(FuzzFinding) in
        guard input.count >= 2 + PackFooter.headerSize + PackFooter.trailerSize else { return }
        var bytes = Array(input.extracting(2..<input.count))
        bytes.replaceSubrange(0..<8, with: PackFooter.packMagic)
        bytes.removeLast(16)
        LittleEndian.append(UInt64(bytes.count + 16), to: &bytes)
        bytes += PackFooter.trailerMagic
        let dataEnd = Int(input[0]) | Int(input[1]) << 8
        guard let footer = try? PackFooter(decoding: bytes, dataEnd: dataEnd) else { return }
        var chunks: [ObjectID: PackFooter.Chunk] = [:]
        var recipes: [ObjectID: PackFooter.Recipe] = [:]
        do throws(CodecError) {
            for index in 0..<footer.chunkCount {
                let id = footer.chunkID(at: index)
                chunks[id] = try footer.chunk(at: index)
                guard footer.indexOfChunk(id) == index else { throw CodecError("a chunk is lost") }
            }
            for index in 0..<footer.recipeCount {
                let id = footer.recipeID(at: index)
                recipes[id] = try footer.recipe(at: index)
                guard footer.indexOfRecipe(id) == index else {
                    throw CodecError("a recipe is lost")
                }
            }
        } catch { throw FuzzFinding("an index is accepted and then refused: \(error.reason)") }
        for chunk in chunks.values {
            try FuzzFinding.unless(
                chunk.offset - chunk.gap >= 8 && chunk.offset + chunk.storedSize <= dataEnd,
                "a chunk lies outside of its pack")
        }
        try FuzzFinding.unless(
            PackFooter.encode(chunks: chunks, recipes: recipes, nonce: Array(bytes[8..<24]))
                == bytes,
            "an index has two encodings")
    }
}
