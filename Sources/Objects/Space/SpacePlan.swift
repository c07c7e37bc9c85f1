/// What becomes of each pack, so that space is freed and everything in a live pack can be read afterwards.
///
/// A pack of which nothing is needed goes. One of which less than half is needed goes too, after what is needed
/// was copied. The others stay as they are, with what nobody needs.
public struct SpacePlan: Sendable {
    /// What becomes of a pack.
    public enum Fate: Sendable { case keep, rewrite, drop }

    /// What becomes of one pack, and why.
    public struct Decision: Sendable {
        /// The pack.
        public let pack: PackReference
        /// What becomes of it.
        public let fate: Fate
        /// The stored bytes in it that are needed.
        public let neededBytes: Int
    }

    /// What was marked, and what else must stay for packs that are kept to be whole.
    public private(set) var marks: PackMarks
    private var rewritten: Set<Int> = []
    private let kept: Set<ObjectID>
    private let removed: Set<ObjectID>
    private let spares: Bool

    /// Decides for all packs that are marked.
    ///
    /// - Parameters:
    ///   - marks: What is needed.
    ///   - kept: Packs that stay as they are whatever is needed of them, such as damaged ones.
    ///   - removed: Packs that are not live: what is needed of them is copied.
    ///   - spare: Whether packs of which little is needed stay, because there is no space to copy it.
    public init(
        _ marks: PackMarks, keeping kept: Set<ObjectID> = [], removed: Set<ObjectID> = [],
        sparing spare: Bool = false
    ) throws(ObjectError) {
        self.marks = marks
        self.kept = kept
        self.removed = removed
        spares = spare
        for name in kept { try self.marks.markAll(of: name) }
        for number in self.marks.entries.indices { rewriteIfSparse(number) }
        while try !closeKept() {}
    }

    private mutating func rewriteIfSparse(_ number: Int) {
        let entry = marks.entries[number]
        if removed.contains(entry.pack.reference.name), entry.needed.count > 0 {
            rewritten.insert(number)
            return
        }
        let bytes = entry.pack.reference.indexOffset - PackFooter.packMagic.count
        guard !spares, entry.needed.count > 0, 2 * entry.neededBytes < bytes,
            !kept.contains(entry.pack.reference.name)
        else { return }
        rewritten.insert(number)
    }

    /// The decisions about live packs, in their order.
    public var decisions: [Decision] {
        marks.entries.enumerated().compactMap { number, entry in
            let pack = entry.pack.reference
            if removed.contains(pack.name) { return nil }
            return Decision(pack: pack, fate: fate(of: number), neededBytes: entry.neededBytes)
        }
    }

    /// The stored bytes that ``copySurvivors(damaged:progress:)`` copies.
    public var copiedBytes: Int {
        rewritten.reduce(0) { $0 + marks.entries[$1].neededBytes }
    }

    private func fate(of number: Int) -> Fate {
        if marks.entries[number].needed.count == 0 { return .drop }
        return rewritten.contains(number) ? .rewrite : .keep
    }

    /// Sees to it that what nobody needs in packs that are kept can be read nevertheless: a reader, a writer and a
    /// merge that come upon it need not know that it is not needed.
    ///
    /// Bases of differences are copied with what is needed: they are small. A pack with large objects that would lose
    /// pieces is written anew without them.
    ///
    /// - Returns: Whether nothing had to be changed.
    private mutating func closeKept() throws(ObjectError) -> Bool {
        var isClosed = true
        for number in marks.entries.indices where fate(of: number) == .keep {
            let footer = marks.entries[number].pack.footer
            for bit in 0..<footer.chunkCount + footer.recipeCount
            where !marks.entries[number].needed.contains(bit) {
                for need in try marks.needs(of: PackMarks.Place(pack: number, bit: bit))
                where try !remains(need.id, asBase: need.isBase) {
                    isClosed = false
                    guard need.isBase, let base = try marks.chunk(need.id, asBase: true) else {
                        rewritten.insert(number)
                        break
                    }
                    try marks.mark(base)
                    rewriteIfSparse(base.pack)
                }
                if rewritten.contains(number) { break }
            }
        }
        return isClosed
    }

    /// Whether a chunk will be in a pack that is kept, or copied.
    private func remains(_ id: ObjectID, asBase: Bool) throws(ObjectError) -> Bool {
        for (number, entry) in marks.entries.enumerated().reversed() {
            guard let index = entry.pack.footer.indexOfChunk(id) else { continue }
            if asBase, try entry.pack.chunk(at: index).codec == .delta { continue }
            if entry.needed.contains(index) || fate(of: number) == .keep { return true }
        }
        return false
    }

    /// Copies what is needed from packs that do not stay into one new pack; nil when there is nothing to copy.
    ///
    /// Chunks keep their stored form, and the checksum of every one is verified on the way.
    ///
    /// - Parameters:
    ///   - damaged: Set to the pack that could not be copied because something in it is damaged, in place of an
    ///     error: it must be kept.
    ///   - progress: Called with the number of bytes that were just copied.
    public func copySurvivors(
        damaged: inout PackReference?, progress: (Int) -> Void = { _ in }
    ) throws(ObjectError) -> MergedPack? {
        let numbers = marks.entries.indices.filter { fate(of: $0) == .rewrite }
        if numbers.isEmpty { return nil }
        return try marks.copy(from: numbers, damaged: &damaged, progress: progress)
    }
}

extension PackMarks {
    /// Copies what is needed from some packs into a new one; nil when one of them is damaged.
    func copy(
        from numbers: [Int], damaged: inout PackReference?, progress: (Int) -> Void = { _ in }
    ) throws(ObjectError) -> MergedPack? {
        do throws(CopyError) {
            return try store.copy(
                numbers.map { entries[$0].pack },
                where: { number, bit in entries[numbers[number]].needed.contains(bit) },
                progress: progress)
        } catch {
            switch error {
            case .damaged(let pack): damaged = pack
            case .storage(let error): throw .storage(error)
            }
            return nil
        }
    }
}
