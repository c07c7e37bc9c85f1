/// What a set of packs holds, in figures.
public struct PackStatistics: Hashable, Sendable {
    /// Distinct objects.
    public var objects = 0
    /// The bytes of those objects.
    public var rawBytes = 0
    /// The bytes of all packs, indexes included.
    public var storedBytes = 0
    /// Chunks, each counted in every pack that has it.
    public var chunks = 0
    /// Packs.
    public var packs = 0

    /// Nothing.
    public init() {}
}

/// Something wrong with a pack or an object in it.
public struct PackDamage: Hashable, Sendable {
    /// The object that cannot be read; nil when it is the pack itself.
    public let object: ObjectID?
    /// The pack.
    public let pack: ObjectID
    /// What is wrong.
    public let error: ObjectError
}

/// One copy of a chunk: a chunk may be in several packs, and each copy is checked.
private struct ChunkPlace: Hashable {
    let chunk: ObjectID
    let pack: ObjectID
}

extension PackStore {
    /// Counts what the packs hold; reads their indexes and nothing else.
    public func packStatistics() throws(ObjectError) -> PackStatistics {
        var result = PackStatistics()
        var seen: Set<ObjectID> = []
        for reference in packs {
            let pack = try open(reference)
            result.packs += 1
            result.storedBytes += reference.size
            result.chunks += pack.footer.chunkCount
            for index in 0..<pack.footer.chunkCount {
                let chunk = try pack.chunk(at: index)
                guard chunk.isObject, seen.insert(pack.footer.chunkID(at: index)).inserted else {
                    continue
                }
                result.objects += 1
                result.rawBytes += chunk.size
            }
            for index in 0..<pack.footer.recipeCount
            where seen.insert(pack.footer.recipeID(at: index)).inserted {
                result.objects += 1
                result.rawBytes += try pack.recipeSize(at: index)
            }
        }
        return result
    }

    /// Checks that every pack is there, begins as packs do, and has the index that its name vouches
    /// for, and with `full` reads every chunk and puts every large object together.
    ///
    /// - Parameters:
    ///   - progress: Called with the number of bytes that were just read.
    ///   - report: Called with each damage; damage does not end the check.
    public func audit(
        full: Bool, progress: (Int) -> Void = { _ in }, report: (PackDamage) -> Void
    ) {
        var sound: Set<ChunkPlace> = []
        for reference in packs {
            let pack: OpenPack
            do throws(ObjectError) { pack = try open(reference) } catch {
                report(PackDamage(object: nil, pack: reference.name, error: error))
                continue
            }
            do throws(ObjectError) { try pack.checkMagic() } catch {
                report(PackDamage(object: nil, pack: reference.name, error: error))
            }
            guard full else { continue }
            auditRecipes(of: pack, sound: &sound, progress: progress, report: report)
            auditChunks(of: pack, sound: &sound, progress: progress, report: report)
        }
    }

    /// Puts every large object together, and notes the chunks that turned out to be sound.
    private func auditRecipes(
        of pack: OpenPack, sound: inout Set<ChunkPlace>, progress: (Int) -> Void,
        report: (PackDamage) -> Void
    ) {
        for index in 0..<pack.footer.recipeCount {
            let id = pack.footer.recipeID(at: index)
            do throws(ObjectError) {
                let recipe = try pack.recipe(at: index)
                var hasher = ObjectHasher()
                for piece in recipe.pieces {
                    guard let (holder, at) = try packHoldingChunk(piece.id) else {
                        throw .missing(piece.id)
                    }
                    let bytes = try bytes(
                        of: piece.id, try holder.chunk(at: at), in: holder, fromDisk: true)
                    guard bytes.count == piece.size else {
                        throw .corrupt(piece.id, where: "the recipe of \(id.short)")
                    }
                    hasher.update(bytes.span)
                    sound.insert(ChunkPlace(chunk: piece.id, pack: holder.reference.name))
                    progress(bytes.count)
                }
                guard hasher.finalize() == id else {
                    throw .corrupt(id, where: "the recipe in pack \(pack.reference.name.short)")
                }
            } catch {
                report(PackDamage(object: id, pack: pack.reference.name, error: error))
            }
        }
    }

    /// Reads every chunk that no large object needed.
    private func auditChunks(
        of pack: OpenPack, sound: inout Set<ChunkPlace>, progress: (Int) -> Void,
        report: (PackDamage) -> Void
    ) {
        for index in 0..<pack.footer.chunkCount {
            let id = pack.footer.chunkID(at: index)
            let place = ChunkPlace(chunk: id, pack: pack.reference.name)
            guard !sound.contains(place) else { continue }
            do throws(ObjectError) {
                let chunk = try pack.chunk(at: index)
                progress(try bytes(of: id, chunk, in: pack, fromDisk: true).count)
            } catch {
                report(PackDamage(object: id, pack: pack.reference.name, error: error))
            }
        }
    }
}
