public import Objects

/// The fate of each pack, such that a collection frees disk space and everything in the live packs stays readable.
///
/// Packs that nothing needs are dropped. Rewritten packs are dropped, too, once their needed data has been copied. The
/// others stay, with the unneeded data in them.
public struct CollectionPlan: Sendable {
    /// Which packs to rewrite.
    public enum Rewriting: Sendable {
        /// Packs that are less than half needed: copying others would cost more than it frees.
        case sparse
        /// Every pack with unneeded data. Differences against such data are stored in full.
        case all
        /// None: the disk is full.
        case none
    }

    /// Whether a pack stays, is replaced by a copy of its needed data, or goes.
    public enum Fate: Sendable { case keep, rewrite, drop }

    /// Why unneeded data stays in a live pack.
    public enum Obstacle: String, Sendable {
        /// At least half of the pack is needed, so copying costs more than it frees.
        case half
        /// The pack is damaged, which prevents copying.
        case damage
        /// The disk has no space for a copy.
        case space
    }

    /// The fate of one pack, and why.
    public struct Decision: Sendable {
        /// The pack that is decided on.
        public let pack: PackReference
        /// Whether the pack stays, is rewritten or is dropped.
        public let fate: Fate
        /// The needed bytes in it, as stored.
        public let neededBytes: Int
        /// The unneeded bytes that stay, as stored.
        public let unneededBytes: Int
        /// Why they stay; nil when there are none.
        public let obstacle: Obstacle?
    }

    /// What is needed, and what else must stay so that kept packs stay readable.
    private(set) var marks: PackMarks
    private var rewritten: Set<Int> = []
    private let kept: Set<ObjectID>
    /// The needed bytes of the packs in ``kept``.
    private var neededOfKept: [ObjectID: Int] = [:]
    private let removed: Set<ObjectID>
    private let rewriting: Rewriting
    /// The differences that are stored in full, by pack.
    private var detached: [Int: Set<Int>] = [:]

    /// Decides the fate of all marked packs.
    ///
    /// - Parameters:
    ///   - kept: Packs that stay in any case, such as damaged ones.
    ///   - removed: Packs that are not live, and whose needed data is copied.
    ///   - rewriting: `all` requires marks that were made without needing bases.
    static func deciding(
        _ marks: PackMarks, keeping kept: Set<ObjectID>, removed: Set<ObjectID>,
        rewriting: Rewriting
    ) throws(ObjectError) -> CollectionPlan {
        var plan = CollectionPlan(marks: marks, kept: kept, removed: removed, rewriting: rewriting)
        for entry in marks.entries where kept.contains(entry.pack.reference.name) {
            plan.neededOfKept[entry.pack.reference.name] = entry.neededBytes
        }
        for name in kept { try plan.marks.markAll(of: name) }
        plan.detached = try plan.marks.differencesWithoutBase()
        for number in plan.marks.entries.indices { plan.rewriteIfDue(number) }
        while try !plan.closeKept() {}
        return plan
    }

    private mutating func rewriteIfDue(_ number: Int) {
        let entry = marks.entries[number]
        let name = entry.pack.reference.name
        guard entry.needed.count > 0, !kept.contains(name) else { return }
        let isDue =
            switch rewriting {
            case .none: false
            case .sparse: 2 * entry.neededBytes < Self.contentBytes(entry)
            case .all: entry.needed.count < entry.placeCount || detached[number] != nil
            }
        if isDue || removed.contains(name) { rewritten.insert(number) }
    }

    /// The stored bytes of everything in a pack.
    private static func contentBytes(_ entry: PackMarks.Entry) -> Int {
        entry.pack.reference.indexOffset - PackFooter.packMagic.count
    }

    /// The decisions about live packs, in their order.
    var decisions: [Decision] {
        marks.entries.enumerated().compactMap { number, entry in
            let pack = entry.pack.reference
            if removed.contains(pack.name) { return nil }
            let fate = fate(of: number)
            let needed = neededOfKept[pack.name] ?? entry.neededBytes
            let unneeded = fate == .keep ? max(0, Self.contentBytes(entry) - needed) : 0
            return Decision(
                pack: pack, fate: fate, neededBytes: needed, unneededBytes: unneeded,
                obstacle: unneeded > 0 ? obstacle(pack.name) : nil)
        }
    }

    private func obstacle(_ pack: ObjectID) -> Obstacle {
        if kept.contains(pack) { return .damage }
        if case .none = rewriting { return .space }
        return .half
    }

    /// How many stored bytes ``copySurvivors(damaged:progress:)`` copies.
    var copiedBytes: Int {
        rewritten.reduce(0) { $0 + marks.entries[$1].neededBytes }
    }

    private func fate(of number: Int) -> Fate {
        if marks.entries[number].needed.count == 0 { return .drop }
        return rewritten.contains(number) ? .rewrite : .keep
    }

    /// Makes sure that unneeded data in kept packs stays readable: readers, writers and merges that find it do not know
    /// that it is unneeded.
    ///
    /// Bases of differences are small, so they are copied, too. A pack whose large objects would lose pieces is
    /// rewritten without those objects.
    ///
    /// - Returns: Whether nothing had to change.
    private mutating func closeKept() throws(ObjectError) -> Bool {
        var isClosed = true
        for number in marks.entries.indices where fate(of: number) == .keep {
            for bit in 0..<marks.entries[number].placeCount
            where !marks.entries[number].needed.contains(bit) {
                for need in try marks.needs(of: PackMarks.Place(pack: number, bit: bit))
                where try !remains(need.id, asBase: need.isBase) {
                    isClosed = false
                    guard need.isBase, let base = try marks.piece(need.id, asBase: true) else {
                        rewritten.insert(number)
                        break
                    }
                    try marks.mark(base)
                    rewriteIfDue(base.pack)
                }
                if rewritten.contains(number) { break }
            }
        }
        return isClosed
    }

    /// Whether a piece stays in a kept pack or is copied.
    private func remains(_ id: ObjectID, asBase: Bool) throws(ObjectError) -> Bool {
        for (number, entry) in marks.entries.enumerated().reversed() {
            guard let index = entry.pack.footer.indexOfPiece(id) else { continue }
            if asBase, try entry.pack.piece(at: index).codec == .delta { continue }
            if entry.needed.contains(index) || fate(of: number) == .keep { return true }
        }
        return false
    }

    /// Copies the needed data of the rewritten packs into one new pack; nil when there is nothing to copy.
    ///
    /// Pieces keep their stored form and their checksums are verified; differences that lose their base are stored in
    /// full.
    ///
    /// - Parameters:
    ///   - damaged: Set to a damaged pack, which must be kept, instead of throwing an error.
    ///   - progress: Called with the number of bytes just copied.
    func copySurvivors(
        damaged: inout PackReference?, progress: (Int) -> Void
    ) throws(ObjectError) -> MergedPack? {
        let numbers = marks.entries.indices.filter { fate(of: $0) == .rewrite }
        if numbers.isEmpty { return nil }
        return try marks.copy(
            from: numbers, detaching: detached, damaged: &damaged, progress: progress)
    }
}
