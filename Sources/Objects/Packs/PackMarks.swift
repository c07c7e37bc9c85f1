/// Marks which pieces and recipes of some packs are needed, with one bit each.
///
/// Of several copies of an object, only the copy that a reader of these packs would find is marked.
public struct PackMarks: Sendable {
    /// A piece or a recipe: the number of its pack, and the place in the pack's index, where recipes follow pieces.
    package struct Place: Hashable {
        package let pack: Int
        package let bit: Int

        package init(pack: Int, bit: Int) {
            self.pack = pack
            self.bit = bit
        }
    }

    /// One pack and the places that are needed in it.
    package struct Entry: Sendable {
        package let pack: OpenPack
        package var needed: Bitmap
        /// Nodes whose children have been marked.
        var walked: Bitmap
        package var neededBytes = 0

        /// The number of pieces and recipes in the pack.
        package var placeCount: Int { pack.footer.pieceCount + pack.footer.recipeCount }

        init(_ pack: OpenPack) {
            self.pack = pack
            needed = Bitmap(limit: pack.footer.pieceCount + pack.footer.recipeCount)
            walked = needed
        }
    }

    /// A store over ``entries``.
    private(set) var store: PackStore
    /// The packs, the oldest first.
    package private(set) var entries: [Entry] = []
    /// The numbers of the packs that ``takeTouched()`` returns next.
    private var touched: Set<Int> = []
    /// Whether marking a delta marks its base.
    private let needsBases: Bool

    /// Begins with no marks.
    ///
    /// - Parameter needsBases: Whether marking a delta marks its base; false when a delta may be stored whole instead.
    /// - Throws: The errors of opening a pack.
    public init(_ store: PackStore, needsBases: Bool = true) throws(ObjectError) {
        self.store = store
        self.needsBases = needsBases
        for reference in store.packs { entries.append(Entry(try store.open(reference))) }
    }

    /// The packs, the oldest first.
    public var packs: [PackReference] { store.packs }

    /// The names of the packs in which a place was marked since the last call.
    public mutating func takeTouched() -> Set<ObjectID> {
        defer { touched.removeAll() }
        return Set(touched.map { entries[$0].pack.reference.name })
    }

    /// Adds packs that are searched before all others, or after all others if `asOldest` is true.
    public mutating func add(
        _ references: [PackReference], asOldest: Bool = false
    ) throws(ObjectError) {
        var added: [Entry] = []
        for reference in references { added.append(Entry(try store.open(reference))) }
        if asOldest { touched = Set(touched.map { $0 + added.count }) }
        entries = asOldest ? added + entries : entries + added
        store = store.over(entries.map(\.pack.reference))
    }

    // MARK: Marking

    private enum Kind { case snapshot, tree, table, plain }

    /// Marks a snapshot and everything it needs: its content, its cursor, its index, its embedding space and its
    /// inputs, but not its parents.
    ///
    /// Does not read files, or leaves below the root of a table.
    ///
    /// - Parameter skippingMissing: Whether to skip missing objects, as below a snapshot that was partly collected.
    /// - Throws: `missing`; `corrupt` and `malformed` when a node cannot be read, so that its children are unknown.
    public mutating func mark(
        snapshot root: ObjectID, skippingMissing: Bool = false
    ) throws(ObjectError) {
        var pending: [(id: ObjectID, kind: Kind)] = [(root, .snapshot)]
        while let (id, kind) = pending.popLast() {
            do throws(ObjectError) {
                guard let place = try object(id) else { throw .missing(id) }
                try mark(place)
                guard kind != .plain, entries[place.pack].walked.insert(place.bit) else { continue }
                pending += try children(of: id, kind).map { (id: $0, kind: $1) }
            } catch {
                guard skippingMissing, case .missing = error else { throw error }
            }
        }
    }

    private func children(
        of id: ObjectID, _ kind: Kind
    ) throws(ObjectError) -> [(ObjectID, Kind)] {
        switch kind {
        case .plain: return []
        case .snapshot:
            let snapshot = try Snapshot(id, in: store)
            var result: [(ObjectID, Kind)] = []
            for content in snapshot.contents {
                switch content {
                case .tree(let root, _, _): result.append((root, .tree))
                case .table(let table): result.append((table.root, .table))
                }
            }
            if let space = snapshot.space { result.append((space, .plain)) }
            return result + snapshot.inputs.values.sorted().map { ($0, .snapshot) }
        case .tree:
            return try TreeReader(store).tree(id).entries.map { entry in
                (entry.id, entry.mode == .directory ? .tree : .plain)
            }
        case .table:
            let bytes = try store.read(id, limit: structuredObjectLimit)
            guard case .inner(let children) = try TableNode(bytes, id: id) else { return [] }
            return children.links.map { ($0, children.level > 1 ? .table : .plain) }
        }
    }

    /// Marks a piece or a recipe and the pieces needed to read it.
    ///
    /// - Throws: `missing`, naming a piece or a base that no pack has.
    package mutating func mark(_ place: Place) throws(ObjectError) {
        guard entries[place.pack].needed.insert(place.bit) else { return }
        touched.insert(place.pack)
        let pack = entries[place.pack].pack
        if place.bit < pack.footer.pieceCount {
            let piece = try pack.piece(at: place.bit)
            entries[place.pack].neededBytes += piece.gap + piece.storedSize
        }
        for need in try needs(of: place) {
            guard let other = try piece(need.id, asBase: need.isBase) else {
                throw .missing(need.id)
            }
            if needsBases || !need.isBase { try mark(other) }
        }
    }

    /// Marks every place of a pack, and the bases of its deltas.
    package mutating func markAll(of name: ObjectID) throws(ObjectError) {
        guard let number = entries.firstIndex(where: { $0.pack.reference.name == name }) else {
            return
        }
        for bit in 0..<entries[number].placeCount {
            let place = Place(pack: number, bit: bit)
            try mark(place)
            for need in try needs(of: place) where need.isBase {
                if let base = try piece(need.id, asBase: true) { try mark(base) }
            }
        }
    }

    // MARK: Lookup

    /// The needed deltas whose bases are not needed themselves: their indexes, by the number of the pack.
    package func differencesWithoutBase() throws(ObjectError) -> [Int: Set<Int>] {
        var found: [Int: Set<Int>] = [:]
        for (number, entry) in entries.enumerated() {
            for bit in 0..<entry.pack.footer.pieceCount where entry.needed.contains(bit) {
                for need in try needs(of: Place(pack: number, bit: bit)) where need.isBase {
                    if try isNeeded(base: need.id) { continue }
                    found[number, default: []].insert(bit)
                }
            }
        }
        return found
    }

    private func isNeeded(base id: ObjectID) throws(ObjectError) -> Bool {
        for entry in entries {
            if let index = entry.pack.footer.indexOfPiece(id), entry.needed.contains(index),
                try entry.pack.piece(at: index).codec != .delta
            {
                return true
            }
        }
        return false
    }

    /// The pieces needed to read a piece or a recipe; `isBase` is true for the base of a delta.
    package func needs(of place: Place) throws(ObjectError) -> [(id: ObjectID, isBase: Bool)] {
        let pack = entries[place.pack].pack
        let pieceCount = pack.footer.pieceCount
        guard place.bit < pieceCount else {
            return try pack.recipe(at: place.bit - pieceCount).pieces.map { ($0.id, false) }
        }
        let piece = try pack.piece(at: place.bit)
        guard piece.codec == .delta else { return [] }
        guard let base = try pack.deltaBase(of: piece) else {
            throw pack.stored(pack.footer.pieceID(at: place.bit), piece).corrupt
        }
        return [(base, true)]
    }

    /// The copy of an object that a reader finds; nil when there is none.
    package func object(_ id: ObjectID) throws(ObjectError) -> Place? {
        for number in entries.indices.reversed() {
            let footer = entries[number].pack.footer
            if let index = footer.indexOfPiece(id),
                try entries[number].pack.piece(at: index).isObject
            {
                return Place(pack: number, bit: index)
            }
            if let index = footer.indexOfRecipe(id) {
                return Place(pack: number, bit: footer.pieceCount + index)
            }
        }
        return nil
    }

    /// The copy of a piece that a reader finds; with `asBase`, the newest copy that can be the base of a
    /// delta.
    package func piece(_ id: ObjectID, asBase: Bool) throws(ObjectError) -> Place? {
        for number in entries.indices.reversed() {
            let pack = entries[number].pack
            guard let index = pack.footer.indexOfPiece(id) else { continue }
            if asBase, try pack.piece(at: index).codec == .delta { continue }
            return Place(pack: number, bit: index)
        }
        return nil
    }
}

extension PackMarks {
    /// Copies the marked places of some packs into a new pack.
    ///
    /// - Parameters:
    ///   - detached: The deltas to store whole, by the number of the pack.
    ///   - damaged: Set to the first damaged pack that copying meets.
    /// - Returns: The new pack; nil when a pack is damaged.
    package func copy(
        from numbers: [Int], detaching detached: [Int: Set<Int>] = [:],
        damaged: inout PackReference?, progress: (Int) -> Void = { _ in }
    ) throws(ObjectError) -> MergedPack? {
        do throws(ObjectError) {
            return try MergedPack.copy(
                numbers.map { entries[$0].pack }, of: store,
                where: { number, bit in entries[numbers[number]].needed.contains(bit) },
                detaching: { number, bit in
                    detached[numbers[number]]?.contains(bit) ?? false
                },
                progress: progress)
        } catch {
            guard case .damagedPack(let name, _) = error else { throw error }
            damaged = packs.first { $0.name == name }
            return nil
        }
    }

    /// Whether everything in a pack of a store can be read from that store: the store has every piece of the pack's
    /// large objects, and the base of every delta in the pack.
    ///
    /// - Throws: `damagedPack`, `storage` when an index cannot be read.
    public static func isWhole(
        _ reference: PackReference, in store: PackStore
    ) throws(ObjectError) -> Bool {
        let marks = try PackMarks(store)
        guard let number = store.packs.firstIndex(of: reference) else { return false }
        for bit in 0..<marks.entries[number].placeCount {
            for need in try marks.needs(of: Place(pack: number, bit: bit)) {
                guard try marks.piece(need.id, asBase: need.isBase) != nil else { return false }
            }
        }
        return true
    }

    /// Copies the objects that only removed packs still hold into a new pack, and publishes that pack.
    ///
    /// - Parameters:
    ///   - store: The store over the live packs.
    ///   - snapshots: Snapshots that must be readable, with everything they need.
    ///   - needed: Packs whose content must be readable: removed ones, or packs of the store.
    ///   - removed: Packs whose files may still exist, or which this process may still have open.
    /// - Returns: The new pack; nil when there is nothing to copy, or when a removed pack is damaged.
    public static func rescue(
        _ snapshots: [ObjectID], _ needed: [PackReference], from removed: [PackReference],
        for store: PackStore
    ) throws(ObjectError) -> PackReference? {
        let gone = removed.filter { (try? store.open($0)) != nil }
        var marks = try PackMarks(store.over(gone + store.packs))
        for snapshot in snapshots { try marks.mark(snapshot: snapshot, skippingMissing: true) }
        for pack in needed { try marks.markAll(of: pack.name) }
        let numbers = gone.indices.filter { marks.entries[$0].needed.count > 0 }
        if numbers.isEmpty { return nil }
        var damaged: PackReference?
        guard let copy = try marks.copy(from: numbers, damaged: &damaged) else { return nil }
        let reference = try copy.publish()
        try store.adopt(reference, from: copy.staged.blob)
        return reference
    }
}

/// A set of numbers from 0 up to a limit, stored as one bit per number.
package struct Bitmap: Sendable {
    private var words: [UInt64]
    /// The number of members.
    package private(set) var count = 0

    /// An empty set of numbers below `limit`.
    package init(limit: Int) { words = [UInt64](repeating: 0, count: (limit + 63) / 64) }

    package func contains(_ number: Int) -> Bool {
        words[number >> 6] & (1 << UInt64(number & 63)) != 0
    }

    /// Inserts a number; returns whether it was new.
    package mutating func insert(_ number: Int) -> Bool {
        let bit = 1 << UInt64(number & 63) as UInt64
        guard words[number >> 6] & bit == 0 else { return false }
        words[number >> 6] |= bit
        count += 1
        return true
    }
}
