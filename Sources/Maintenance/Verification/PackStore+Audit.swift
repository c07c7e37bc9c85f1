public import Objects
internal import Storage

/// The content of a set of packs in figures.
public struct PackStatistics: Hashable, Sendable {
    /// The number of distinct objects.
    public var objects = 0
    /// The size of those objects in bytes.
    public var rawBytes = 0
    /// The size of all packs in bytes, indexes included.
    public var storedBytes = 0
    /// The number of pieces; a piece counts once for each pack that holds it.
    public var pieces = 0
    /// The number of packs.
    public var packs = 0

    /// Makes the statistics of no packs.
    public init() {}
}

/// Damage to a pack or to an object in it.
public struct PackDamage: Hashable, Sendable {
    /// The unreadable object; nil for the pack itself.
    public let object: ObjectID?
    /// The name of the pack that holds the damage.
    public let pack: ObjectID
    /// The damaged bytes of the pack's file, as narrowly as checksums show; nil for the whole file, and when the damage
    /// is elsewhere, in something that the object is made from.
    public let range: Range<Int>?
    /// The error that reading the pack or the object throws.
    public let error: ObjectError
}

extension PackStore {
    /// Counts the content of the packs; reads only their indexes.
    public func packStatistics() throws(ObjectError) -> PackStatistics {
        try withPacks { (packs) throws(ObjectError) in try packStatistics(of: packs) }
    }

    private func packStatistics(of packs: [PackReference]) throws(ObjectError) -> PackStatistics {
        var result = PackStatistics()
        var seen: Set<ObjectID> = []
        for reference in packs {
            let pack = try open(reference)
            result.packs += 1
            result.storedBytes += reference.size
            result.pieces += pack.footer.pieceCount
            for index in 0..<pack.footer.pieceCount {
                let piece = try pack.piece(at: index)
                guard piece.isObject, seen.insert(pack.footer.pieceID(at: index)).inserted else {
                    continue
                }
                result.objects += 1
                result.rawBytes += piece.size
            }
            for index in 0..<pack.footer.recipeCount
            where seen.insert(pack.footer.recipeID(at: index)).inserted {
                result.objects += 1
                result.rawBytes += try pack.recipeSize(at: index)
            }
        }
        return result
    }

    /// Counts the content of the packs that can be opened.
    public func usableStatistics() -> PackStatistics {
        let usable = packs.filter { (try? open($0)) != nil }
        let store = PackStore(bucket: bucket, packs: usable, opened: opened)
        return (try? store.packStatistics()) ?? PackStatistics()
    }

    /// Checks that every pack exists, begins with the magic and has the index that its name vouches for; with `full`,
    /// also reads every copy of every piece and assembles every large object, on all processors.
    ///
    /// - Parameter progress: Called, from any thread, with the number of bytes just read.
    /// - Returns: All damage, in an order that depends only on the damage and the order of the packs.
    public func audit(
        full: Bool, progress: @escaping @Sendable (Int) -> Void = { _ in }
    ) -> [PackDamage] {
        audit(full: full, threads: Threads.available, progress: progress)
    }

    func audit(
        full: Bool, threads: Int, progress: @escaping @Sendable (Int) -> Void = { _ in }
    ) -> [PackDamage] {
        var result: [PackDamage] = []
        var sound: [OpenPack] = []
        for reference in packs {
            var range = OpenPack.indexRange(of: reference, in: bucket)
            do throws(ObjectError) {
                let pack = try open(reference)
                sound.append(pack)
                range = 0..<PackFooter.packMagic.count
                try pack.checkMagic()
            } catch {
                if wasRemoved(reference, error) { continue }
                result.append(
                    PackDamage(object: nil, pack: reference.name, range: range, error: error))
            }
        }
        guard full else { return result }
        let damage = PackAudit(sound, of: self, progress: progress).run(threads: threads).filter {
            // A collection may have removed the pack that alone held the base of a difference.
            if case .collected = $0.error { false } else { true }
        }
        let found = Dictionary(grouping: damage, by: \.pack)
        for reference in packs { result += (found[reference.name] ?? []).sorted(by: Self.precedes) }
        return result
    }

    /// Lists the damaged bytes before the index of a pack, live or not, by their checksums.
    ///
    /// - Throws: `damagedPack` when the index is damaged; `storage`.
    public func damagedBytes(of reference: PackReference) throws(ObjectError) -> [Range<Int>] {
        let pack = try open(reference)
        let found = try Threads.map(
            Array(0..<pack.footer.pieceCount), threads: Threads.available
        ) { (index) throws(ObjectError) -> [Range<Int>] in
            let piece = try pack.storedPiece(at: index)
            let entry = piece.entry
            var damaged: [Range<Int>] = []
            if try !Self.isSound({ () throws(ObjectError) in try pack.checkGap(before: entry) }) {
                damaged.append(entry.offset - entry.gap..<entry.offset)
            }
            if try !Self.isSound({ () throws(ObjectError) in _ = try piece.storedBytes() }) {
                damaged.append(entry.offset..<entry.end)
            }
            return damaged
        }
        let beginning = try Self.isSound({ () throws(ObjectError) in try pack.checkMagic() })
        return (beginning ? [] : [0..<PackFooter.packMagic.count]) + found.flatMap(\.self)
    }

    private static func isSound(
        _ check: () throws(ObjectError) -> Void
    ) throws(ObjectError) -> Bool {
        do throws(ObjectError) {
            try check()
            return true
        } catch {
            if error.isOutOfResources { throw error }
            return false
        }
    }

    /// Orders damage by object; the message only orders several errors of one object.
    private static func precedes(_ left: PackDamage, _ right: PackDamage) -> Bool {
        guard left.object == right.object else {
            guard let first = left.object, let second = right.object else {
                return left.object == nil
            }
            return first < second
        }
        return left.error.message.utf8.lexicographicallyPrecedes(right.error.message.utf8)
    }
}
