/// Which pieces and recipes of some packs are needed: a bit for each, however large the objects are.
///
/// Of several copies of an object the one is needed that a reader of these packs would find.
public struct PackMarks: Sendable {
    /// A piece or a recipe: a pack, and the place in its index, where recipes follow pieces.
    package struct Place: Hashable {
        package let pack: Int
        package let bit: Int

        package init(pack: Int, bit: Int) {
            self.pack = pack
            self.bit = bit
        }
    }

    /// One pack and what is needed of it.
    package struct Entry: Sendable {
        package let pack: OpenPack
        package var needed: Bitmap
        // Nodes whose children have been marked.
        var walked: Bitmap
        package var neededBytes = 0

        /// How many pieces and recipes the pack has.
        package var placeCount: Int { pack.footer.pieceCount + pack.footer.recipeCount }

        init(_ pack: OpenPack) {
            self.pack = pack
            let count = pack.footer.pieceCount + pack.footer.recipeCount
            needed = Bitmap(limit: count)
            walked = Bitmap(limit: count)
        }
    }

    /// Reads from the packs that are marked.
    private(set) var store: PackStore
    /// The packs, the oldest first.
    package private(set) var entries: [Entry] = []
    /// For ``takeTouched()``.
    private var touched: Set<Int> = []
    /// Whether a difference needs its base: not if it may be stored by itself in place of it.
    private let needsBases: Bool

    /// Marks nothing yet.
    ///
    /// - Parameter needsBases: Whether what is stored as a difference needs the base of that.
    /// - Throws: What opening one of the packs throws.
    public init(_ store: PackStore, needsBases: Bool = true) throws(ObjectError) {
        self.store = store
        self.needsBases = needsBases
        for reference in store.packs { entries.append(Entry(try store.open(reference))) }
    }

    /// The packs, the oldest first.
    public var packs: [PackReference] { store.packs }

    /// The packs in which something was marked since this was asked last.
    public mutating func takeTouched() -> Set<ObjectID> {
        defer { touched.removeAll() }
        return Set(touched.map { entries[$0].pack.reference.name })
    }

    /// Adds packs in which is looked before all others, or after all others.
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

    /// Marks a snapshot and all it needs: its content down to files and leaves, of which none is read, its
    /// embedding space, and what it was made from. What it succeeds is not needed.
    ///
    /// - Parameter whatIsThere: Whether objects that are missing are passed over, as below a snapshot that was
    ///   collected in part.
    /// - Throws: `missing`; `corrupt` and `malformed` when a node cannot be read, so that what it needs is not known.
    public mutating func mark(
        snapshot root: ObjectID, whatIsThere: Bool = false
    ) throws(ObjectError) {
        var pending: [(id: ObjectID, kind: Kind)] = [(root, .snapshot)]
        while let (id, kind) = pending.popLast() {
            do throws(ObjectError) {
                guard let place = try object(id) else { throw .missing(id) }
                try mark(place)
                guard kind != .plain, entries[place.pack].walked.insert(place.bit) else { continue }
                pending += try children(of: id, kind).map { (id: $0, kind: $1) }
            } catch {
                guard whatIsThere, case .missing = error else { throw error }
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
                case .table(let root, _, _): result.append((root, .table))
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

    /// Marks a piece or a recipe and what it cannot be read without.
    ///
    /// - Throws: `missing`, naming a piece or a base that is not there.
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

    /// Marks everything that a pack holds, and the bases of its differences.
    package mutating func markAll(of name: ObjectID) throws(ObjectError) {
        guard let number = entries.firstIndex(where: { $0.pack.reference.name == name }) else {
            return
        }
        let footer = entries[number].pack.footer
        for bit in 0..<footer.pieceCount + footer.recipeCount {
            let place = Place(pack: number, bit: bit)
            try mark(place)
            for need in try needs(of: place) where need.isBase {
                if let base = try piece(need.id, asBase: true) { try mark(base) }
            }
        }
    }

    // MARK: Looking

    /// The needed differences of which no base is needed for itself, by pack.
    package func differencesWithoutBase() throws(ObjectError) -> [Int: Set<Int>] {
        var found: [Int: Set<Int>] = [:]
        for (number, entry) in entries.enumerated() {
            for bit in 0..<entry.pack.footer.pieceCount where entry.needed.contains(bit) {
                for need in try needs(of: Place(pack: number, bit: bit))
                where need.isBase {
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

    /// The pieces that something cannot be read without, and whether as bases of differences.
    package func needs(of place: Place) throws(ObjectError) -> [(id: ObjectID, isBase: Bool)] {
        let pack = entries[place.pack].pack
        let pieceCount = pack.footer.pieceCount
        guard place.bit < pieceCount else {
            return try pack.recipe(at: place.bit - pieceCount).pieces.map { ($0.id, false) }
        }
        let piece = try pack.piece(at: place.bit)
        guard piece.codec == .delta else { return [] }
        guard let base = try pack.deltaBase(of: piece) else {
            throw .corrupt(pack.footer.pieceID(at: place.bit), where: pack.place(of: piece))
        }
        return [(base, true)]
    }

    /// Where a reader finds an object.
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

    /// Where a reader finds a piece, or one that can be the base of differences.
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
    /// Copies what is needed from some packs into a new one; nil when one of them is damaged.
    ///
    /// - Parameter detached: The differences that are stored by themselves, by pack.
    package func copy(
        from numbers: [Int], detaching detached: [Int: Set<Int>] = [:],
        damaged: inout PackReference?, progress: (Int) -> Void = { _ in }
    ) throws(ObjectError) -> MergedPack? {
        do throws(CopyError) {
            return try store.copy(
                numbers.map { entries[$0].pack },
                where: { number, bit in entries[numbers[number]].needed.contains(bit) },
                detaching: { number, bit in
                    detached[numbers[number]]?.contains(bit) ?? false
                },
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

/// A set of small numbers, one bit for each that could be in it.
package struct Bitmap: Sendable {
    private var words: [UInt64]
    /// How many numbers are in it.
    package private(set) var count = 0

    /// An empty set of numbers below `limit`.
    package init(limit: Int) { words = [UInt64](repeating: 0, count: (limit + 63) / 64) }

    package func contains(_ number: Int) -> Bool {
        words[number >> 6] & (1 << UInt64(number & 63)) != 0
    }

    /// Puts a number in; whether it was not in it before.
    package mutating func insert(_ number: Int) -> Bool {
        let bit = 1 << UInt64(number & 63) as UInt64
        guard words[number >> 6] & bit == 0 else { return false }
        words[number >> 6] |= bit
        count += 1
        return true
    }
}
