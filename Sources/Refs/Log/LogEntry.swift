public import Objects

/// One entry of the log: a transaction with its writer, its time and the hash of the entry before it.
public struct LogEntry: Hashable, Sendable {
    /// Its position in the log, from 0.
    public let number: Int
    /// The hash of the entry before it; nil in entry 0.
    public let previous: ObjectID?
    /// The number of the state that the transaction is based on; nil in entry 0.
    public let base: Int?
    /// The time of the entry in the log, never before that of the previous entry.
    public let time: Timestamp
    /// How many milliseconds ``time`` is ahead of the writer's clock; nil up to ``tolerableSkew``. Usually an earlier
    /// entry has a wrong time, which all later ones inherit.
    public let skew: Int?
    /// The name that the writer gave itself, such as `ada@host`.
    public let writer: String
    /// The message, for people.
    public let message: String
    /// Random bits that make the entry unique, so that a writer recognizes its own.
    public let nonce: RandomBits
    /// The actions, in order.
    public let actions: [Action]
    /// The action that overrides gates; nil when there is none.
    public let overriding: Action?
    /// The SHA-256 of the entry's first line without its line feed.
    public let hash: ObjectID
    /// The signature, which is checked when the entry is applied to a state.
    public internal(set) var signature: Signature?

    /// The most bytes that an entry's file may have: enough for about 5,000 moves of refs with ordinary names, and
    /// little enough to read at once.
    public static let byteLimit = 1 << 20
    /// The most actions that an entry may have.
    public static let actionLimit = 10_000
    /// The maximum number of bytes that a message may have.
    public static let messageLimit = 64 << 10
    /// The maximum number of bytes that the name of a writer may have.
    public static let writerLimit = 1 << 10
    /// How many milliseconds the log may be ahead of a clock: five minutes, because unsynchronized machines differ by
    /// that much. Beyond it, writers record their own clock and people are warned.
    static let tolerableSkew = 5 * 60_000

    /// Makes an unsigned entry, and computes its hash.
    ///
    /// - Parameter skew: Nil unless it is more than ``tolerableSkew``.
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

    /// The writer's clock as far as the entry records it: ``time`` less ``skew``. Approvals expire by it, so that one
    /// entry dated far ahead does not expire all later approvals.
    public var clock: Timestamp {
        Timestamp(milliseconds: time.milliseconds - (skew ?? 0)) ?? time
    }

    /// The time of the entry as seen by a clock that shows `now` (in milliseconds). A ``time`` in the future comes from
    /// an entry with a wrong time; the writer's clock is the better guess then.
    public func moment(asOf now: Int) -> Timestamp {
        guard let skew, time.milliseconds > now else { return time }
        return Timestamp(milliseconds: time.milliseconds - skew) ?? time
    }

    /// A copy of the entry with a signature.
    ///
    /// - Parameter repository: The identity of the repository; the signature is valid in no other.
    public func signed(
        by key: SecretKey, repository: RandomBits
    ) throws(KeyError) -> LogEntry {
        var entry = self
        entry.signature = try key.sign(signedBytes(repository: repository))
        return entry
    }

    /// The bytes that a signature covers. They include the repository, the position in the log and the previous entry,
    /// so that the signature is valid nowhere else.
    func signedBytes(repository: RandomBits) -> [UInt8] {
        var bytes = Array("fti-log-v1\0".utf8) + repository.bytes
        bytes.append(bigEndian: number)
        bytes += previous?.bytes ?? [UInt8](repeating: 0, count: ObjectID.byteCount)
        hash.append(to: &bytes)
        return bytes
    }

    /// Refuses an entry whose signature is invalid, whether or not a signature is required.
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
    /// Appends a number as 8 bytes, big-endian.
    mutating func append(bigEndian number: Int) {
        for shift in stride(from: 56, through: 0, by: -8) {
            append(UInt8(truncatingIfNeeded: number >> shift))
        }
    }
}

extension LogEntry {
    /// The bytes of the entry's file: a line of canonical JSON, and a line with its hash and any signature.
    public var encoded: [UInt8] {
        Self.line(
            number: number, previous: previous, base: base, time: time, skew: skew,
            writer: writer, message: message, nonce: nonce, actions: actions) + [0x0A]
            + JSON.object(seal).canonicalBytes + [0x0A]
    }

    /// The second line: the hash, and for a signed entry the key and the signature.
    private var seal: JSONObject {
        var object = JSONObject()
        object["sha256"] = .string(hash.hex)
        signature?.add(to: &object)
        return object
    }

    static func line(
        number: Int, previous: ObjectID?, base: Int?, time: Timestamp, skew: Int?,
        writer: String, message: String, nonce: RandomBits, actions: [Action]
    ) -> [UInt8] {
        var object = JSONObject()
        object["n"] = .integer(number)
        object["prev"] = .string(previous?.hex ?? "")
        object["base"] = base.map { .integer($0) } ?? .null
        object["time"] = .string(time.description)
        if let skew { object["skew"] = .integer(skew) }
        object["writer"] = .string(writer)
        object["message"] = .string(message)
        object["nonce"] = .string(nonce.hex)
        object["requires"] = []
        object["actions"] = .array(actions.map(\.json))
        return JSON.object(object).canonicalBytes
    }

    /// Decodes the file of entry `number`; accepts only the canonical encoding.
    ///
    /// - Throws: `damaged` with the entry and the field; `needsNewer` when the entry requires something that this
    ///   version does not have.
    public init(decoding bytes: [UInt8], number: Int) throws(RefError) {
        let place = LogFile.place(of: number)
        func damaged(_ reason: String) -> RefError { .damaged(place: place, reason: reason) }
        guard bytes.count <= Self.byteLimit else {
            throw damaged("it has \(bytes.count) bytes, more than the \(Self.byteLimit) allowed")
        }
        let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        guard lines.count == 3, lines[2].isEmpty else {
            throw damaged(bytes.isEmpty ? "it is empty" : "it must have two lines")
        }
        let line = Array(lines[0])
        let hash = ObjectID(of: line.span)
        do {
            let signature = try Self.readSeal(Array(lines[1]), hash: hash, place: place)
            self = try Self(line: line, hash: hash, number: number, place: place)
            self.signature = signature
        } catch let error as RefError {
            throw error
        } catch let error as JSONError {
            throw damaged("\(error.reason) (at byte \(error.offset))")
        } catch let error as JSONSchemaError {
            throw damaged("\(error.path) \(error.reason)")
        } catch { throw damaged("it is unreadable") }
    }

    private static func readSeal(
        _ line: [UInt8], hash: ObjectID, place: String
    ) throws -> Signature? {
        guard let object = try JSON(canonical: line).object else {
            throw RefError.damaged(place: place, reason: "its second line must be an object")
        }
        var reader = JSONObjectReader(object)
        guard try reader.objectID("sha256") == hash else {
            throw RefError.damaged(place: place, reason: "sha256 is not the hash of its first line")
        }
        let signature = try Signature.take(from: &reader)
        // A member that this version cannot check must not pass as checked.
        let known = signature == nil ? 1 : 3
        guard object.count == known else {
            throw RefError.needsNewer(
                place: place,
                what: "its second line has " + object.keys.joined(separator: ", "))
        }
        return signature
    }

    private init(line: [UInt8], hash: ObjectID, number: Int, place: String) throws {
        guard let object = try JSON(canonical: line).object else {
            throw RefError.damaged(place: place, reason: "its first line must be an object")
        }
        var reader = JSONObjectReader(object)
        // Checked first, because a requirement may change the meaning of everything else.
        for requirement in try reader.array("requires") {
            guard let name = requirement.string else {
                throw reader.error("requires", "must be a list of names")
            }
            throw RefError.needsNewer(place: place, what: "it requires \(Quoting.quoted(name))")
        }
        self.hash = hash
        self.number = try reader.count("n")
        guard self.number == number else {
            throw reader.error("n", "is \(self.number) where \(number) is expected")
        }
        let previous = try reader.string("prev")
        self.previous = ObjectID(hex: previous)
        guard number == 0 ? previous.isEmpty : self.previous != nil else {
            throw reader.error(
                "prev", "must be the hash of the entry before, and empty in the first")
        }
        base = try reader.countOrNull("base")
        guard number == 0 ? base == nil : base.map({ $0 < number }) ?? false else {
            throw reader.error("base", "must be a number below n, and null in the first entry")
        }
        let time = try reader.timestamp("time")
        self.time = time
        skew = reader.has("skew") ? try reader.count("skew") : nil
        if let skew {
            guard skew > Self.tolerableSkew,
                Timestamp(milliseconds: time.milliseconds - skew) != nil
            else {
                throw reader.error("skew", "must be more than \(Self.tolerableSkew) milliseconds")
            }
        }
        writer = try reader.string("writer")
        message = try reader.string("message")
        nonce = try reader.randomBits("nonce")
        actions = try Self.actions(try reader.array("actions"), place: place)
        overriding = Self.overriding(in: actions)
        try reader.finish()
        if let reason = Self.objection(writer: writer, message: message, actions: actions.count) {
            throw RefError.damaged(place: place, reason: reason)
        }
    }

    private static func actions(_ values: [JSON], place: String) throws -> [Action] {
        var actions: [Action] = []
        for (index, value) in values.enumerated() {
            let path = "actions[\(index)]"
            guard let object = value.object else {
                throw JSONObjectReader(JSONObject()).error(path, "must be an object")
            }
            var reader = JSONObjectReader(object, path: path)
            guard let action = try Action(&reader) else {
                throw RefError.needsNewer(
                    place: place,
                    what: "\(path) is of type \(Quoting.quoted(object["type"]?.string ?? ""))")
            }
            try reader.finish()
            actions.append(action)
        }
        return actions
    }

    /// The reason why no entry can hold this writer, this message or this many actions; nil when one can.
    static func objection(writer: String, message: String, actions: Int) -> String? {
        if message.utf8.count > messageLimit {
            return "the message has \(message.utf8.count) bytes, more than \(messageLimit)"
        }
        if writer.utf8.count > writerLimit {
            return "the name of the writer has \(writer.utf8.count) bytes, more than \(writerLimit)"
        }
        if actions > actionLimit {
            return "it has \(actions) actions, more than \(actionLimit)"
        }
        return nil
    }
}

/// 128 random bits, written as 32 lower-case hexadecimal digits: the identity of a repository, the nonce of an entry,
/// or the name of a lease.
public struct RandomBits: Hashable, Sendable, CustomStringConvertible {
    static let byteCount = 16

    /// 32 lower-case hexadecimal digits.
    public let hex: String

    /// Parses 32 lower-case hexadecimal digits; nil for anything else.
    public init?(hex text: some StringProtocol) {
        guard Hexadecimal.decode(String(text))?.count == Self.byteCount else { return nil }
        hex = String(text)
    }

    /// Draws the bits from a source of randomness.
    public init(from random: () -> UInt64) {
        var bytes: [UInt8] = []
        for word in [random(), random()] {
            for shift in stride(from: 56, through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift)))
            }
        }
        hex = Hexadecimal.encode(bytes)
    }

    /// The 16 bytes.
    var bytes: [UInt8] { Hexadecimal.decode(hex) ?? [] }

    /// Same as ``hex``.
    public var description: String { hex }
}
