public import Objects

/// What becomes of each pack, so that a collection frees space and everything in a live pack can be read afterwards.
///
/// A pack of which nothing is needed goes. A pack that is to be rewritten goes too, after what is needed
/// was copied. The others stay as they are, with what nobody needs.
public struct CollectionPlan: Sendable {
    /// Which packs are rewritten.
    public enum Rewriting: Sendable {
        /// Those of which less than half is needed: copying the others would cost more than it frees.
        case sparse
        /// Every one that holds anything that nobody needs. Differences against it are stored by themselves.
        case all
        /// None, because there is no space to copy anything.
        case none
    }

    /// What becomes of a pack.
    public enum Fate: Sendable { case keep, rewrite, drop }

    /// Why something that nobody needs stays in a live pack.
    public enum Obstacle: String, Sendable {
        /// At least half of the pack is needed, so copying costs more than it frees.
        case half
        /// The pack is damaged, so it cannot be copied.
        case damage
        /// There is no space for a copy.
        case space
    }

    /// What becomes of one pack, and why.
    public struct Decision: Sendable {
        /// The pack.
        public let pack: PackReference
        /// What becomes of it.
        public let fate: Fate
        /// The stored bytes in it that are needed.
        public let neededBytes: Int
        /// The stored bytes that stay although nobody needs them.
        public let unneededBytes: Int
        /// Why they stay; nil when there are none.
        public let obstacle: Obstacle?
    }

    /// What was marked, and what else must stay for packs that are kept to be whole.
    public private(set) var marks: PackMarks
    private var rewritten: Set<Int> = []
    private let kept: Set<ObjectID>
    /// What is needed of packs that stay as they are, in stored bytes.
    private var neededOfKept: [ObjectID: Int] = [:]
    private let removed: Set<ObjectID>
    private let rewriting: Rewriting
    /// The differences that are stored by themselves, by pack.
    private var detached: [Int: Set<Int>] = [:]

    /// Decides for all packs that are marked.
    ///
    /// - Parameters:
    ///   - marks: What is needed.
    ///   - kept: Packs that stay as they are whatever is needed of them, such as damaged ones.
    ///   - removed: Packs that are not live: what is needed of them is copied.
    ///   - rewriting: Which packs are rewritten; of all of them only where the marks do without bases.
    public init(
        _ marks: PackMarks, keeping kept: Set<ObjectID> = [], removed: Set<ObjectID> = [],
        rewriting: Rewriting = .sparse
    ) throws(ObjectError) {
        self.marks = marks
        self.kept = kept
        self.removed = removed
        self.rewriting = rewriting
        for entry in marks.entries where kept.contains(entry.pack.reference.name) {
            neededOfKept[entry.pack.reference.name] = entry.neededBytes
        }
        for name in kept { try self.marks.markAll(of: name) }
        detached = try self.marks.differencesWithoutBase()
        for number in self.marks.entries.indices { rewriteIfDue(number) }
        while try !closeKept() {}
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

    /// The stored bytes of all that a pack holds.
    private static func contentBytes(_ entry: PackMarks.Entry) -> Int {
        entry.pack.reference.indexOffset - PackFooter.packMagic.count
    }

    /// The decisions about live packs, in their order.
    public var decisions: [Decision] {
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
            for bit in 0..<footer.pieceCount + footer.recipeCount
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

    /// Whether a piece will be in a pack that is kept, or copied.
    private func remains(_ id: ObjectID, asBase: Bool) throws(ObjectError) -> Bool {
        for (number, entry) in marks.entries.enumerated().reversed() {
            guard let index = entry.pack.footer.indexOfPiece(id) else { continue }
            if asBase, try entry.pack.piece(at: index).codec == .delta { continue }
            if entry.needed.contains(index) || fate(of: number) == .keep { return true }
        }
        return false
    }

    /// Copies what is needed from packs that do not stay into one new pack; nil when there is nothing to copy.
    ///
    /// Pieces keep their stored form, and the checksum of every one is verified on the way; differences that lose their
    /// base are stored anew.
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
        return try marks.copy(
            from: numbers, detaching: detached, damaged: &damaged, progress: progress)
    }
}
