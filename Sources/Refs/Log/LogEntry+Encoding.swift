internal import Objects

extension LogEntry {
    /// The bytes of the entry's file: a line of canonical JSON, and a line with the hash of the first.
    public var encoded: [UInt8] {
        Self.line(
            number: number, previous: previous, base: base, time: time, skew: skew,
            writer: writer, message: message, nonce: nonce, actions: actions) + [0x0A]
            + JSON.object(seal).canonicalBytes + [0x0A]
    }

    /// What the second line holds: the hash, and when the entry is signed, the key and the signature.
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

    /// Reads the file of entry `number`; anything but the one canonical encoding is refused.
    ///
    /// - Throws: `damaged` naming the entry and the field; `needsNewer` when the entry says that it needs
    ///   what this version does not have.
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
        // What this version cannot check must not pass for checked.
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
        // First of all: what else is in the entry may have another meaning then.
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
        guard let nonce = RandomBits(hex: try reader.string("nonce")) else {
            throw reader.error("nonce", "must be 32 lower-case hexadecimal digits")
        }
        self.nonce = nonce
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

    /// Why no entry can hold this, or nil.
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
