internal import Objects
internal import Synchronization

/// Which packs the log has added and not removed.
///
/// What a checkpoint says of packs stays unread until somebody asks: resolving a ref needs none of it. A
/// checkpoint lists live packs only, so opening a repository costs the same however many packs there once were.
/// That a name is never used again is therefore checked in full by whoever folds from entry 0, as
/// ``LogVerifier`` does; from a checkpoint on it is checked against what was done since and what is live.
struct PackLedger: Sendable {
    /// The lines of a checkpoint.
    private var base: Base?
    /// What was done since, in order, and where.
    private var later: [(change: Change, place: String)] = []
    private var addedLater: Set<ObjectID> = []
    private var removedLater: Set<ObjectID> = []

    private enum Change { case add(PackReference), remove(ObjectID) }

    /// No packs.
    init() {}

    /// Packs as a checkpoint lists them.
    init(lines: ArraySlice<UInt8>, place: String) { base = Base(lines: lines, place: place) }

    /// What a checkpoint lists, read once for all copies of a state.
    private final class Base: Sendable {
        private let lines: ArraySlice<UInt8>
        private let place: String
        private let known = Mutex<[PackReference]?>(nil)

        init(lines: ArraySlice<UInt8>, place: String) {
            self.lines = lines
            self.place = place
        }

        func packs() throws(RefError) -> [PackReference] {
            if let packs = known.withLock({ $0 }) { return packs }
            var packs: [PackReference] = []
            var names: Set<ObjectID> = []
            for line in lines.split(separator: 0x0A) {
                guard let pack = PackLedger.pack(line), names.insert(pack.name).inserted else {
                    throw .damaged(place: place, reason: "a line about a pack is unreadable")
                }
                packs.append(pack)
            }
            known.withLock { $0 = packs }
            return packs
        }
    }

    /// Whether a pack may be added, as far as can be told without reading ``base``: ``live()`` finds more.
    func accepts(added name: ObjectID) -> Bool {
        !removedLater.contains(name) && !addedLater.contains(name)
    }

    /// Whether a pack may be removed, as far as can be told.
    func accepts(removed name: ObjectID) -> Bool { !removedLater.contains(name) }

    mutating func add(_ pack: PackReference, place: String) {
        addedLater.insert(pack.name)
        later.append((.add(pack), place))
    }

    mutating func remove(_ name: ObjectID, place: String) {
        removedLater.insert(name)
        later.append((.remove(name), place))
    }

    /// The live packs in the order in which they were added: O(packs).
    ///
    /// - Throws: `damaged` when a live pack is added again, or the checkpoint's lines are unreadable.
    func live() throws(RefError) -> [PackReference] {
        let start = try base?.packs() ?? []
        if later.isEmpty { return start }
        var order = start
        var live = Set(start.map(\.name))
        for (change, place) in later {
            switch change {
            case .add(let pack):
                guard live.insert(pack.name).inserted else {
                    throw .damaged(
                        place: place, reason: "pack \(pack.name.short) is added a second time")
                }
                order.append(pack)
            case .remove(let name): live.remove(name)
            }
        }
        return order.filter { live.contains($0.name) }
    }

    /// The lines of a checkpoint: `pack NAME SIZE INDEX` for each live pack in order.
    static func lines(_ packs: [PackReference]) -> [UInt8] {
        var text = ""
        for pack in packs {
            text += "pack \(pack.name.hex) \(pack.size) \(pack.indexOffset)\n"
        }
        return Array(text.utf8)
    }

    fileprivate static func pack(_ line: ArraySlice<UInt8>) -> PackReference? {
        let words = line.split(separator: 0x20)
        guard words.count == 4, words[0].elementsEqual("pack".utf8),
            let name = ObjectID(hex: String(decoding: words[1], as: UTF8.self)),
            let size = LogFile.number(words[2]), let index = LogFile.number(words[3])
        else { return nil }
        return PackReference(name: name, size: size, indexOffset: index)
    }
}
