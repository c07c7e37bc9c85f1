internal import Objects

/// Which packs the log has added and removed.
///
/// What a checkpoint says of packs stays unread until somebody asks: resolving a ref needs none of it.
struct PackLedger: Sendable {
    /// The lines of a checkpoint, and where they are from.
    private var base: (lines: ArraySlice<UInt8>, place: String)?
    /// What was done since, in order, and where.
    private var later: [(change: Change, place: String)] = []
    private var addedLater: Set<ObjectID> = []
    private var removedLater: Set<ObjectID> = []

    private enum Change { case add(PackReference), remove(ObjectID) }

    /// The packs in full.
    struct Packs {
        var live: [PackReference] = []
        var removed: Set<ObjectID> = []
    }

    /// No packs.
    init() {}

    /// Packs as a checkpoint lists them.
    init(lines: ArraySlice<UInt8>, place: String) { base = (lines, place) }

    /// Whether a pack may be added, as far as can be told without reading ``base``: ``packs()`` finds
    /// the rest.
    func accepts(added name: ObjectID) -> Bool {
        !removedLater.contains(name) && !addedLater.contains(name)
    }

    /// Whether a pack may be removed, as far as can be told without reading ``base``.
    func accepts(removed name: ObjectID) -> Bool { !removedLater.contains(name) }

    mutating func add(_ pack: PackReference, place: String) {
        addedLater.insert(pack.name)
        later.append((.add(pack), place))
    }

    mutating func remove(_ name: ObjectID, place: String) {
        removedLater.insert(name)
        later.append((.remove(name), place))
    }

    /// Reads everything: O(packs).
    ///
    /// - Throws: `damaged` when a name is used twice, or the checkpoint's lines are unreadable.
    func packs() throws(RefError) -> Packs {
        var order: [PackReference] = []
        var live: Set<ObjectID> = []
        var removed: Set<ObjectID> = []
        func damaged(_ place: String, _ name: ObjectID) -> RefError {
            .damaged(place: place, reason: "pack \(name.short) is added or removed a second time")
        }
        func fold(_ change: Change, _ place: String) throws(RefError) {
            switch change {
            case .add(let pack):
                guard !removed.contains(pack.name), live.insert(pack.name).inserted else {
                    throw damaged(place, pack.name)
                }
                order.append(pack)
            case .remove(let name):
                guard removed.insert(name).inserted else { throw damaged(place, name) }
                live.remove(name)
            }
        }
        if let base {
            for line in base.lines.split(separator: 0x0A) {
                guard let change = Self.change(line) else {
                    throw .damaged(place: base.place, reason: "a line about a pack is unreadable")
                }
                try fold(change, base.place)
            }
        }
        for item in later { try fold(item.change, item.place) }
        return Packs(live: order.filter { live.contains($0.name) }, removed: removed)
    }

    /// The lines of a checkpoint: `pack NAME SIZE INDEX` for each live pack in order, then
    /// `unpack NAME` for each removed one, sorted.
    static func lines(_ packs: Packs) -> [UInt8] {
        var text = ""
        for pack in packs.live {
            text += "pack \(pack.name.hex) \(pack.size) \(pack.indexOffset)\n"
        }
        for name in packs.removed.sorted() { text += "unpack \(name.hex)\n" }
        return Array(text.utf8)
    }

    private static func change(_ line: ArraySlice<UInt8>) -> Change? {
        let words = line.split(separator: 0x20)
        guard words.count > 1, let name = ObjectID(hex: String(decoding: words[1], as: UTF8.self))
        else { return nil }
        if words.count == 4, words[0].elementsEqual("pack".utf8),
            let size = LogFile.number(words[2]), let index = LogFile.number(words[3])
        {
            return .add(PackReference(name: name, size: size, indexOffset: index))
        }
        return words.count == 2 && words[0].elementsEqual("unpack".utf8) ? .remove(name) : nil
    }
}
