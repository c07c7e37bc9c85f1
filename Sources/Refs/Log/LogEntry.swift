public import Objects

/// One entry of the log: a transaction, who made it, when, and the entry it follows.
public struct LogEntry: Hashable, Sendable {
    /// Its place in the log, from 0.
    public let number: Int
    /// The hash of the entry before it; nil in entry 0.
    public let previous: ObjectID?
    /// The number of the state that the transaction was computed on; nil in entry 0.
    public let base: Int?
    /// When it was made, as far as the log knows; never before ``previous``.
    public let time: Timestamp
    /// How many milliseconds ``time`` is ahead of the writer's clock, when that is more than ``tolerableSkew``: some
    /// entry before is dated wrongly then, and all after it have its time.
    public let skew: Int?
    /// Who made it.
    public let writer: String
    /// What a person says of it.
    public let message: String
    /// What makes this entry unlike every other: a writer knows its own by it.
    public let nonce: RandomBits
    /// What it does, in order.
    public let actions: [Action]
    /// The action that passes over gates; nil when there is none.
    public let overriding: Action?
    /// The SHA-256 of the entry's first line without its line feed.
    public let hash: ObjectID
    /// Who signed it; whether that is true shows when it is folded into a state.
    public internal(set) var signature: Signature?

    /// The most bytes that an entry's file may have: enough for ``actionLimit`` moves of ordinary names,
    /// and small enough to read at once.
    public static let byteLimit = 1 << 20
    /// The most actions that an entry may have.
    public static let actionLimit = 10_000
    /// The most bytes that a message may have.
    public static let messageLimit = 64 << 10
    /// The most bytes that the name of a writer may have.
    public static let writerLimit = 1 << 10
    /// How many milliseconds the log may be ahead of a clock, five minutes: machines that nobody synchronizes differ by
    /// as much. Beyond it writers record their own clock, and people are warned.
    static let tolerableSkew = 5 * 60_000

    /// Makes an entry.
    ///
    /// - Parameter skew: Given only when it is more than ``tolerableSkew``.
    public init(
        number: Int, previous: ObjectID?, base: Int?, time: Timestamp, skew: Int? = nil,
        writer: String, message: String, nonce: RandomBits, actions: [Action]
    ) {
        self.number = number
        self.previous = previous
        self.base = base
        self.time = time
        self.skew = skew
        self.writer = writer
        self.message = message
        self.nonce = nonce
        self.actions = actions
        overriding = Self.overriding(in: actions)
        let line = Self.line(
            number: number, previous: previous, base: base, time: time, skew: skew,
            writer: writer, message: message, nonce: nonce, actions: actions)
        hash = ObjectID(of: line.span)
    }

    static func overriding(in actions: [Action]) -> Action? {
        actions.first { action in if case .override = action { true } else { false } }
    }

    /// What the writer's clock showed, as far as the entry tells: ``time``, less ``skew``. Approvals expire by it, so
    /// that one entry dated far ahead does not expire all that follow.
    public var clock: Timestamp {
        Timestamp(milliseconds: time.milliseconds - (skew ?? 0)) ?? time
    }

    /// When it was made, as somebody sees it whose clock shows `now`, in milliseconds: if ``time`` has not come yet, some
    /// entry was dated wrongly, and what its writer had on the clock is the better guess.
    public func moment(asOf now: Int) -> Timestamp {
        guard let skew, time.milliseconds > now else { return time }
        return Timestamp(milliseconds: time.milliseconds - skew) ?? time
    }

    /// The entry with a signature.
    ///
    /// - Parameter repository: The identity of the repository: elsewhere the signature is worth nothing.
    public func signed(
        by key: SecretKey, repository: RandomBits
    ) throws(KeyError) -> LogEntry {
        var entry = self
        entry.signature = try key.sign(signedBytes(repository: repository))
        return entry
    }

    /// What a signature of the entry signs: also the repository, the place in the log and the entry before, so that
    /// it holds nowhere else.
    func signedBytes(repository: RandomBits) -> [UInt8] {
        var bytes = Array("fti-log-v1\0".utf8) + repository.bytes
        bytes.append(bigEndian: number)
        bytes += previous?.bytes ?? [UInt8](repeating: 0, count: ObjectID.byteCount)
        hash.append(to: &bytes)
        return bytes
    }

    /// Refuses an entry whose signature is not valid, whether or not anybody asked for one.
    func checkSignature(for repository: RandomBits) throws(RefError) {
        guard let signature, !signature.isValid(for: signedBytes(repository: repository)) else {
            return
        }
        throw .untrusted(
            place: LogFile.place(of: number),
            reason: "its signature is not by key \(signature.key.short)")
    }

    /// The refs that the transaction moved.
    public var changes: [RefChange] {
        actions.compactMap { action in
            guard case .ref(let name, let old, let new, _) = action else { return nil }
            return RefChange(name: name, old: old, new: new)
        }
    }
}

extension [UInt8] {
    /// Appends a number as 8 bytes, the highest first.
    mutating func append(bigEndian number: Int) {
        for shift in stride(from: 56, through: 0, by: -8) {
            append(UInt8(truncatingIfNeeded: number >> shift))
        }
    }
}
