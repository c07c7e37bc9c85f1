extension PackStore {
    /// The objects whose identities begin with `prefix`, ascending, at most `limit` of them.
    ///
    /// Pieces that are only pieces of objects are not objects. Reads the index of every pack.
    public func objects(
        withPrefix prefix: ObjectIDPrefix, limit: Int
    ) throws(ObjectError) -> [ObjectID] {
        if let whole = prefix.whole { return try size(of: whole) == nil ? [] : [whole] }
        return try withPacks { (packs) throws(ObjectError) in
            try objects(of: packs, withPrefix: prefix, limit: limit)
        }
    }

    private func objects(
        of packs: [PackReference], withPrefix prefix: ObjectIDPrefix, limit: Int
    ) throws(ObjectError) -> [ObjectID] {
        var found: Set<ObjectID> = []
        for reference in packs {
            let pack = try open(reference)
            var index = pack.footer.lowerBound(prefix.lowest, among: .pieces)
            var remaining = limit
            while index < pack.footer.pieceCount, remaining > 0 {
                let id = pack.footer.pieceID(at: index)
                guard prefix.matches(id) else { break }
                if try pack.piece(at: index).isObject {
                    found.insert(id)
                    remaining -= 1
                }
                index += 1
            }
            index = pack.footer.lowerBound(prefix.lowest, among: .recipes)
            // Each list may hold the lowest ones, so each is read up to the limit.
            remaining = limit
            while index < pack.footer.recipeCount, remaining > 0 {
                let id = pack.footer.recipeID(at: index)
                guard prefix.matches(id) else { break }
                found.insert(id)
                remaining -= 1
                index += 1
            }
        }
        return Array(found.sorted().prefix(limit))
    }
}
