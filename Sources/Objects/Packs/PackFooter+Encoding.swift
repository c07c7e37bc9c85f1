extension PackFooter {
    /// The bytes of a footer.
    static func encode(
        chunks: [ObjectID: Chunk], recipes: [ObjectID: Recipe], nonce: [UInt8]
    ) -> [UInt8] {
        precondition(nonce.count == nonceSize, "a nonce has 16 bytes")
        let chunkIDs = chunks.keys.sorted()
        let recipeIDs = recipes.keys.sorted()
        let pieceCount = recipes.values.reduce(0) { $0 + $1.pieces.count }
        var bytes = packMagic + nonce
        let pointCount = recipes.values.reduce(0) { $0 + $1.points.count }
        for count in [chunkIDs.count, recipeIDs.count, pieceCount, pointCount] {
            LittleEndian.append(UInt32(count), to: &bytes)
        }
        for id in chunkIDs { id.append(to: &bytes) }
        for id in chunkIDs {
            guard let chunk = chunks[id] else { continue }
            LittleEndian.append(UInt64(chunk.offset), to: &bytes)
            LittleEndian.append(UInt32(chunk.storedSize), to: &bytes)
            LittleEndian.append(UInt32(chunk.size), to: &bytes)
            bytes.append(chunk.codec.rawValue)
            bytes.append(chunk.isObject ? 1 : 0)
            bytes.append(UInt8(chunk.gap))
            bytes.append(0)
            LittleEndian.append(chunk.checksum, to: &bytes)
        }
        for id in recipeIDs { id.append(to: &bytes) }
        var first = 0
        for id in recipeIDs {
            guard let recipe = recipes[id] else { continue }
            LittleEndian.append(UInt64(recipe.size), to: &bytes)
            LittleEndian.append(UInt32(first), to: &bytes)
            LittleEndian.append(UInt32(recipe.pieces.count), to: &bytes)
            first += recipe.pieces.count
        }
        let pieces = recipeIDs.flatMap { recipes[$0]?.pieces ?? [] }
        for piece in pieces { piece.id.append(to: &bytes) }
        for piece in pieces { LittleEndian.append(UInt32(piece.size), to: &bytes) }
        first = 0
        for id in recipeIDs {
            guard let recipe = recipes[id] else { continue }
            for point in recipe.points { append(point, after: first, to: &bytes) }
            first += recipe.pieces.count
        }
        LittleEndian.append(UInt64(bytes.count + trailerSize), to: &bytes)
        bytes.append(contentsOf: trailerMagic)
        return bytes
    }

    private static func append(
        _ point: DigestPoint, after pieces: Int, to bytes: inout [UInt8]
    ) {
        LittleEndian.append(UInt32(pieces + point.piece), to: &bytes)
        for index in 0..<8 { LittleEndian.append(point.words[index], to: &bytes) }
        for index in 0..<ObjectHasher.blockSize { bytes.append(point.rest[index]) }
    }
}
