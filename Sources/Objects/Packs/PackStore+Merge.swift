internal import Storage

/// A pack that holds all that some others hold, and has no name yet.
///
/// It exists for nobody until it is published and the log adds it; dropping it leaves nothing behind.
public struct MergedPack: Sendable {
    /// The packs whose content is in it.
    public let sources: [PackReference]
    fileprivate let staged: any StagedBlob
    fileprivate let chunks: [ObjectID: PackFooter.Chunk]
    fileprivate let recipes: [ObjectID: PackFooter.Recipe]

    /// Publishes the pack, durably and once, and returns what the log must say of it.
    public func publish() throws(ObjectError) -> PackReference {
        do throws(StorageError) {
            return try staged.publishPack(chunks: chunks, recipes: recipes)
        } catch { throw .storage(error) }
    }
}

extension PackStore {
    /// Copies everything that some of this store's packs hold into one new pack.
    ///
    /// Chunks keep their stored form. The checksum of every one is verified on the way, so that damage never moves
    /// into a pack that looks new: a pack with damage is left out of ``MergedPack/sources``.
    ///
    /// - Throws: `storage` when the bucket fails.
    public func merge(_ packs: [PackReference]) throws(ObjectError) -> MergedPack {
        var sources = packs
        while true {
            var damaged: PackReference?
            if let merged = try merged(sources, damaged: &damaged) { return merged }
            sources.removeAll { $0 == damaged }
        }
    }

    /// Where the copy of a chunk is that goes into the merged pack.
    private struct Chosen {
        var pack: Int
        var chunk: PackFooter.Chunk
    }

    /// The packs merged; nil, and which one, when one of them is damaged.
    private func merged(
        _ sources: [PackReference], damaged: inout PackReference?
    ) throws(ObjectError) -> MergedPack? {
        var chosen: [ObjectID: Chosen] = [:]
        var recipes: [ObjectID: PackFooter.Recipe] = [:]
        var packs: [OpenPack] = []
        for reference in sources {
            do throws(ObjectError) {
                let pack = try open(reference)
                try pack.checkMagic()
                try choose(from: pack, number: packs.count, &chosen, &recipes)
                packs.append(pack)
            } catch {
                damaged = reference
                return nil
            }
        }
        let staged: any StagedBlob
        do throws(StorageError) {
            staged = try bucket.stage(in: .packs)
            _ = try staged.append(PackFooter.packMagic)
        } catch { throw .storage(error) }
        let order = chosen.sorted {
            ($0.value.pack, $0.value.chunk.offset) < ($1.value.pack, $1.value.chunk.offset)
        }
        var chunks: [ObjectID: PackFooter.Chunk] = [:]
        var output: [UInt8] = []
        var start = PackFooter.packMagic.count
        for (id, choice) in order {
            let pack = packs[choice.pack]
            var chunk = choice.chunk
            do throws(ObjectError) {
                let stored = try pack.storedBytes(of: id, chunk)
                let end = start + output.count
                chunk.gap = chunk.codec == .leaf ? LeafBlocks.aligned(end) - end : 0
                output.append(contentsOf: repeatElement(0, count: chunk.gap))
                chunk.offset = end + chunk.gap
                output.append(contentsOf: stored)
            } catch {
                damaged = pack.reference
                return nil
            }
            chunks[id] = chunk
            if output.count >= ChunkBatch.flushSize {
                start = try append(&output, to: staged)
            }
        }
        _ = try append(&output, to: staged)
        return MergedPack(sources: sources, staged: staged, chunks: chunks, recipes: recipes)
    }

    /// Chooses what a pack adds to the packs before it.
    private func choose(
        from pack: OpenPack, number: Int, _ chosen: inout [ObjectID: Chosen],
        _ recipes: inout [ObjectID: PackFooter.Recipe]
    ) throws(ObjectError) {
        for index in 0..<pack.footer.chunkCount {
            let id = pack.footer.chunkID(at: index)
            var choice = Chosen(pack: number, chunk: try pack.chunk(at: index))
            if let other = chosen[id] {
                let isObject = choice.chunk.isObject || other.chunk.isObject
                // One copy is enough, but a difference can be the base of no other.
                if other.chunk.codec != .delta || choice.chunk.codec == .delta { choice = other }
                choice.chunk.isObject = isObject
            }
            chosen[id] = choice
        }
        for index in 0..<pack.footer.recipeCount {
            recipes[pack.footer.recipeID(at: index)] = try pack.recipe(at: index)
        }
    }

    /// Appends what is there and returns where the next bytes will be.
    private func append(
        _ output: inout [UInt8], to staged: any StagedBlob
    ) throws(ObjectError) -> Int {
        do throws(StorageError) {
            let start = try staged.append(output)
            defer { output.removeAll(keepingCapacity: true) }
            return start + output.count
        } catch { throw .storage(error) }
    }

    /// Whether everything that was live in a pack can be read from this store's packs as well as it could there.
    ///
    /// - Throws: `damagedPack`, `storage` when an index cannot be read.
    public func holdsAll(of reference: PackReference) throws(ObjectError) -> Bool {
        let pack = try open(reference)
        for index in 0..<pack.footer.chunkCount {
            let id = pack.footer.chunkID(at: index)
            let chunk = try pack.chunk(at: index)
            if chunk.isObject {
                guard try locateObject(id) != nil else { return false }
            }
            // Others may be differences against this chunk, which a difference cannot be the base of.
            let copy = chunk.codec == .delta ? try packHoldingChunk(id) : try packHoldingBase(id)
            guard let (holder, at) = copy,
                try packsNeeded(for: .chunk(holder, try holder.chunk(at: at))) != nil
            else { return false }
        }
        for index in 0..<pack.footer.recipeCount {
            guard let location = try locateObject(pack.footer.recipeID(at: index)),
                try packsNeeded(for: location) != nil
            else { return false }
        }
        return true
    }
}
