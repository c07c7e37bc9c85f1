extension PackFooter {
    /// The bytes of a footer.
    static func encode(
        pieces: [ObjectID: Piece], recipes: [ObjectID: Recipe], nonce: [UInt8]
    ) -> [UInt8] {
        precondition(nonce.count == nonceSize, "a nonce has 16 bytes")
        let pieceIDs = pieces.keys.sorted()
        let recipeIDs = recipes.keys.sorted()
        let referenceCount = recipes.values.reduce(0) { $0 + $1.pieces.count }
        var bytes = packMagic + nonce
        let pointCount = recipes.values.reduce(0) { $0 + $1.points.count }
        for count in [pieceIDs.count, recipeIDs.count, referenceCount, pointCount] {
            LittleEndian.append(UInt32(count), to: &bytes)
        }
        for id in pieceIDs { id.append(to: &bytes) }
        for id in pieceIDs {
            guard let piece = pieces[id] else { continue }
            LittleEndian.append(UInt64(piece.offset), to: &bytes)
            LittleEndian.append(UInt32(piece.storedSize), to: &bytes)
            LittleEndian.append(UInt32(piece.size), to: &bytes)
            bytes.append(piece.codec.rawValue)
            bytes.append(piece.isObject ? 1 : 0)
            bytes.append(UInt8(piece.gap))
            bytes.append(0)
            LittleEndian.append(piece.checksum, to: &bytes)
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
        for reference in pieces { reference.id.append(to: &bytes) }
        for reference in pieces { LittleEndian.append(UInt32(reference.size), to: &bytes) }
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
        LittleEndian.append(UInt32(pieces + point.reference), to: &bytes)
        for index in 0..<8 { LittleEndian.append(point.words[index], to: &bytes) }
        for index in 0..<ObjectHasher.blockSize { bytes.append(point.rest[index]) }
    }
}
