public import Objects
internal import Storage
internal import Synchronization

/// The value of a ref in one state.
public struct RefState: Hashable, Sendable {
    /// The snapshot that it points at.
    public let target: ObjectID
    /// The number of the transaction that moved it there.
    public let transaction: Int
    /// The time of that transaction: its ``LogEntry/clock``.
    public let time: Timestamp

    /// Makes the state of a ref.
    public init(target: ObjectID, transaction: Int, time: Timestamp) {
        self.target = target
        self.transaction = transaction
        self.time = time
    }
}

/// The result of applying all entries of the log up to one: where every ref points, and which packs are live.
///
/// A value: later commits do not show in it, so that a reader who uses one state throughout never sees half a
/// transaction.
public struct State: Sendable {
    /// The number of the newest entry that was applied.
    public internal(set) var number: Int
    /// The hash of that entry.
    public internal(set) var entryHash: ObjectID
    /// The time of that entry.
    public internal(set) var time: Timestamp
    /// The identity of the repository, which was drawn at random for entry 0.
    public let repositoryID: RandomBits
    /// Every ref that exists.
    public internal(set) var refs: [RefName: RefState]
    /// The transactions that deleted refs, by ref: their histories are followed back from there.
    var removedRefs: [RefName: Int]
    /// Who may write what from the next entry on; nil when there is no access policy.
    public internal(set) var accessPolicy: AccessPolicy?
    /// The key that signed the first access policy that demands signatures: the root of all rights.
    public internal(set) var rootKey: PublicKey?
    /// The transaction after which all have had to be signed; nil when signatures are not demanded now.
    var signedSince: Int?
    /// Every key that any access policy so far has listed.
    var listedKeys: Set<PublicKey> = []
    /// The approvals that are still valid.
    var pendingApprovals = Approvals()
    var packLedger: PackLedger
    /// The key that vouches for the checkpoint of this state; nil without a checkpoint or a signature.
    package var certifier: PublicKey?
    /// The newest checkpoint that is known to be valid.
    var checkpoint: CheckpointName?
    /// The size of that checkpoint in bytes; 0 when there is none.
    var checkpointSize = 0

    /// The snapshot that a ref points at; nil when the ref does not exist.
    public func target(of name: RefName) -> ObjectID? { refs[name]?.target }

    /// How many milliseconds the log is ahead of a clock; nil up to ``LogEntry/tolerableSkew``.
    func skew(at now: Timestamp) -> Int? {
        let lead = time.milliseconds - now.milliseconds
        return lead > LogEntry.tolerableSkew ? lead : nil
    }

    /// The time that counts for an entry written now: `now`, or the log's time when that is a little ahead. A log that
    /// is far ahead contains an entry with a wrong time, which does not count.
    public func moment(at now: Timestamp) -> Timestamp {
        skew(at: now) == nil ? max(now, time) : now
    }

    /// The number of the newest transaction that moved or deleted a ref; nil when there never was such a ref.
    public func lastTransaction(of name: RefName) -> Int? {
        refs[name]?.transaction ?? removedRefs[name]
    }

    /// The approvals that are still valid, in the order of their transactions.
    public var approvals: [Approval] { pendingApprovals.all }

    /// The live packs in the order in which they were added.
    ///
    /// Each call takes O(packs), but parses the packs of the checkpoint only once.
    ///
    /// - Throws: `damaged` when the log adds a live pack again, or a line of the checkpoint is unreadable.
    public var packs: [PackReference] {
        get throws(RefError) { try packLedger.live() }
    }

    /// Continues from a new checkpoint of this state, and drops the pack changes that the checkpoint includes.
    mutating func restart(from name: CheckpointName, _ bytes: [UInt8]) {
        checkpoint = name
        checkpointSize = bytes.count
        let lines = Checkpoint.body(bytes, name: name)
        guard let end = lines.firstIndex(of: 0x0A) else { return }
        packLedger = PackLedger(lines: lines[(end + 1)...], place: name.blob.description)
    }
}

extension State {
    /// The state after the log's first entry.
    package init(first entry: LogEntry) throws(RefError) {
        let place = LogFile.place(of: 0)
        guard case .format(let version, let repository)? = entry.actions.first,
            entry.actions.count == 1
        else { throw .damaged(place: place, reason: "actions must be one format action") }
        guard version == Self.formatVersion else {
            throw .needsNewer(place: place, what: "the repository has format \(version)")
        }
        number = 0
        entryHash = entry.hash
        time = entry.time
        repositoryID = repository
        refs = [:]
        removedRefs = [:]
        packLedger = PackLedger()
        try entry.checkSignature(for: repositoryID)
    }

    /// The format of repositories that this version reads and writes.
    static let formatVersion = 1

    /// Applies the next entry; leaves the state unchanged when it throws.
    ///
    /// - Parameter isVouchedFor: Whether the signature of this very entry is checked elsewhere. The rights of its
    ///   signer are checked in any case.
    /// - Throws: `damaged` with the entry and the field that does not fit this state; `untrusted` when the access
    ///   policy does not let its signer do this.
    package mutating func apply(_ entry: LogEntry, isVouchedFor: Bool = false) throws(RefError) {
        let place = LogFile.place(of: entry.number)
        func check(_ condition: Bool, _ reason: @autoclosure () -> String) throws(RefError) {
            guard condition else { throw .damaged(place: place, reason: reason()) }
        }
        try check(entry.number == number + 1, "n is \(entry.number) after entry \(number)")
        try check(
            entry.previous == entryHash,
            "prev is \(entry.previous?.short ?? "empty"), and entry \(number) has hash "
                + entryHash.short)
        try check(
            entry.time >= time, "time \(entry.time) is before that of entry \(number), \(time)")
        try check(
            entry.skew == nil || entry.time == time,
            "skew is given, and time \(entry.time) is not that of entry \(number), \(time)")
        try check(!entry.actions.isEmpty, "actions is empty")

        var touched: Set<RefName> = []
        var touchedPacks: Set<ObjectID> = []
        for (index, action) in entry.actions.enumerated() {
            let field = "actions[\(index)]"
            switch action {
            case .format: try check(false, "\(field).type is format, which only entry 0 has")
            case .accessPolicy, .approve, .override, .retain: break
            case .ref(let name, let old, let new, let since):
                try check(touched.insert(name).inserted, "\(field).name is \(name) a second time")
                let actual = refs[name]?.target
                try check(
                    old == actual,
                    "\(field).old of \(name) is \(old?.short ?? "null"), and the ref is "
                        + (actual?.short ?? "absent"))
                try check(
                    since == lastTransaction(of: name),
                    "\(field).since of \(name) is \(Self.text(since)), and the ref was moved by "
                        + Self.text(lastTransaction(of: name)))
                try check(new != old, "\(field).new of \(name) is the same as old")
            case .pack(let pack):
                try check(
                    touchedPacks.insert(pack.name).inserted && packLedger.accepts(added: pack.name),
                    "\(field).name is pack \(pack.name.short), which was added or removed before")
            case .unpack(let name):
                try check(
                    touchedPacks.insert(name).inserted && packLedger.accepts(removed: name),
                    "\(field).name is pack \(name.short), which was removed before")
            }
        }
        if !isVouchedFor { try entry.checkSignature(for: repositoryID) }
        if let objection = objection(to: entry) {
            throw .untrusted(place: place, reason: objection.reason)
        }
        // Only an entry signed by a key that may move a ref expires approvals for it: no other key can expire them with
        // an entry dated in the future.
        let signer = entry.signature.flatMap { accessPolicy?.key($0.key) }
        pendingApprovals.settle(entry, moving: touched, at: entry.clock) {
            signer?.mayMove($0) ?? false
        }
        for action in entry.actions {
            switch action {
            case .format, .approve, .override, .retain: break
            case .accessPolicy(let accessPolicy): set(accessPolicy, by: entry)
            case .ref(let name, _, let new, _): set(name, to: new, by: entry)
            case .pack(let pack): packLedger.add(pack, place: place)
            case .unpack(let name): packLedger.remove(name, place: place)
            }
        }
        number = entry.number
        entryHash = entry.hash
        time = entry.time
    }

    /// The objection of the access policy to an entry; a separate function, so that no copy of the state outlives it.
    private func objection(to entry: LogEntry) -> Authority.Objection? {
        Authority(state: self, signer: entry.signature?.key, time: entry.clock)
            .objection(to: entry.actions)
    }

    private mutating func set(_ accessPolicy: AccessPolicy?, by entry: LogEntry) {
        if rootKey == nil, accessPolicy?.isSigned ?? false { rootKey = entry.signature?.key }
        self.accessPolicy = accessPolicy
        signedSince = accessPolicy?.isSigned ?? false ? signedSince ?? entry.number : nil
        listedKeys.formUnion(accessPolicy?.keys.map(\.publicKey) ?? [])
    }

    private mutating func set(_ name: RefName, to new: ObjectID?, by entry: LogEntry) {
        if let new {
            refs[name] = RefState(target: new, transaction: entry.number, time: entry.clock)
            removedRefs[name] = nil
        } else {
            refs[name] = nil
            removedRefs[name] = entry.number
        }
    }

    private static func text(_ number: Int?) -> String { number.map(String.init) ?? "null" }
}

/// The packs that the log has added and not removed.
///
/// The packs of a checkpoint are parsed on demand: resolving a ref needs none of them. A checkpoint lists live packs
/// only, so that opening a repository costs the same however many packs there once were. The log must never reuse the
/// name of a pack. Only a reader that applies every entry, such as ``LogVerifier``, can check that in full; after a
/// checkpoint, names are compared only with live packs and with later additions and removals.
struct PackLedger: Sendable {
    /// The packs of a checkpoint.
    private var base: Base?
    /// The changes since the checkpoint, in order, with their entries.
    private var later: [(change: Change, place: String)] = []
    private var addedLater: Set<ObjectID> = []
    private var removedLater: Set<ObjectID> = []

    private enum Change { case add(PackReference), remove(ObjectID) }

    init() {}

    /// The packs that the lines of a checkpoint list.
    init(lines: ArraySlice<UInt8>, place: String) { base = Base(lines: lines, place: place) }

    /// The lines of a checkpoint, parsed once for all copies of a state.
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

    /// Whether a pack may be added, as far as is known without parsing ``base``; ``live()`` checks the rest.
    func accepts(added name: ObjectID) -> Bool {
        !removedLater.contains(name) && !addedLater.contains(name)
    }

    /// Whether a pack may be removed, as far as is known without parsing ``base``.
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
    /// - Throws: `damaged` when a live pack is added again, or a line of the checkpoint is unreadable.
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

    /// The lines of a checkpoint: `pack NAME SIZE INDEX` for each live pack, in order.
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
