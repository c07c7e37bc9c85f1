public import Objects

extension PackStore {
    /// Copies everything that some removed packs hold and this store's packs do not into a new pack, as far as it can
    /// be read with the help of both; nil when there is nothing of the kind.
    ///
    /// - Throws: `damagedPack` when one of the packs is damaged or has no file; `storage`.
    public func restoring(_ removed: [PackReference]) throws(ObjectError) -> MergedPack? {
        var marks = try PackMarks(self)
        try marks.add(removed, asOldest: true)
        var wanted = removed.indices.map { number in
            let footer = marks.entries[number].pack.footer
            return Bitmap(limit: footer.pieceCount + footer.recipeCount)
        }
        // First what stands for itself, then differences against that, then what is put together from both.
        for turn in RestoringStage.allCases {
            for number in removed.indices {
                let footer = marks.entries[number].pack.footer
                for bit in 0..<footer.pieceCount + footer.recipeCount {
                    let place = PackMarks.Place(pack: number, bit: bit)
                    guard try marks.turn(of: place) == turn,
                        try marks.isLost(place, after: removed.count)
                    else { continue }
                    var isReadable = true
                    for need in try marks.needs(of: place) where isReadable {
                        let found = try marks.piece(need.id, asBase: need.isBase)
                        isReadable =
                            found.map {
                                $0.pack >= removed.count || wanted[$0.pack].contains($0.bit)
                            } ?? false
                    }
                    if isReadable { _ = wanted[number].insert(bit) }
                }
            }
        }
        guard wanted.contains(where: { $0.count > 0 }) else { return nil }
        return try MergedPack.copy(
            removed.indices.map { marks.entries[$0].pack }, of: self,
            where: { wanted[$0].contains($1) })
    }

    fileprivate enum RestoringStage: CaseIterable { case piece, difference, recipe }
}

extension PackMarks {
    fileprivate func turn(of place: Place) throws(ObjectError) -> PackStore.RestoringStage {
        let pack = entries[place.pack].pack
        guard place.bit < pack.footer.pieceCount else { return .recipe }
        return try pack.piece(at: place.bit).codec == .delta ? .difference : .piece
    }

    /// Whether the packs from a number on have nothing that is as good.
    fileprivate func isLost(_ place: Place, after first: Int) throws(ObjectError) -> Bool {
        let pack = entries[place.pack].pack
        guard place.bit < pack.footer.pieceCount else {
            let id = pack.footer.recipeID(at: place.bit - pack.footer.pieceCount)
            return try object(id).map { $0.pack < first } ?? true
        }
        let id = pack.footer.pieceID(at: place.bit)
        let piece = try pack.piece(at: place.bit)
        if piece.isObject, try object(id).map({ $0.pack < first }) ?? true { return true }
        return try self.piece(id, asBase: piece.codec != .delta).map { $0.pack < first } ?? true
    }
}
