internal import Artifacts
internal import Objects
public import Storage
internal import Synchronization

/// The answers that a replica gave, for those who ask for one again or judge it.
///
/// Keeps the newest answers in memory, or all of them in files of a folder. Safe to use from many threads.
public final class AnswerStore: Sendable {
    /// Where answers are kept.
    public enum Medium: Sendable {
        /// The newest ones, in memory.
        case memory(count: Int)
        /// All of them: one file a day of JSON lines. The newest ones, ``AnswerStore/indexed`` at most, can be found, those
        /// of earlier processes included.
        case files(DailyLines)
    }

    private enum Kept {
        case bytes([UInt8])
        case line(DailyLines.Place)
    }

    private struct Contents {
        var answers: [AnswerID: Kept] = [:]
        /// The ids in the order of their answers; those before `first` are dropped.
        var order: [AnswerID] = []
        var first = 0
        var bytes = 0
    }

    /// The files that were there before, and are not in the index yet.
    private struct Earlier {
        /// Their days, oldest first; nil before the first search.
        var days: [String]?
        /// The number of bytes that were read.
        var bytes = 0
    }

    /// The most answers of a folder that can be found.
    public static let indexed = 1_000_000
    /// The bytes of earlier files after which no older one is read.
    public static let earlierByteLimit = 8 << 30
    /// The most bytes of answers in memory, whatever their number.
    public static let byteLimit = 256 << 20

    private let medium: Medium
    private let limit: Int
    private let contents = Mutex(Contents())
    private let earlier = Mutex(Earlier())

    /// Makes a store. Reads no files: that waits until somebody asks for an earlier answer.
    public init(in medium: Medium) {
        self.medium = medium
        limit =
            switch medium {
            case .memory(let count): count
            case .files: Self.indexed
            }
    }

    /// The number of answers in the index: those of this process, and of the earlier files that were read so far.
    public var count: Int { contents.withLock { $0.answers.count } }

    /// Keeps an answer.
    ///
    /// - Parameters:
    ///   - record: The canonical JSON of the answer.
    ///   - day: The day of the answer, as `2026-08-01`.
    /// - Throws: Errors of writing its file.
    public func keep(_ id: AnswerID, _ record: [UInt8], on day: String) throws(StorageError) {
        guard limit > 0 else { return }
        let kept: Kept =
            switch medium {
            case .memory: .bytes(record)
            case .files(let lines): .line(try lines.append(record, on: day))
            }
        contents.withLock { contents in
            contents.answers[id] = kept
            contents.order.append(id)
            if case .bytes(let bytes) = kept { contents.bytes += bytes.count }
            while contents.order.count - contents.first > limit
                || contents.bytes > Self.byteLimit
            {
                let oldest = contents.order[contents.first]
                contents.first += 1
                if case .bytes(let bytes) = contents.answers.removeValue(forKey: oldest) {
                    contents.bytes -= bytes.count
                }
            }
            if contents.first > 1024, contents.first * 2 > contents.order.count {
                contents.order.removeFirst(contents.first)
                contents.first = 0
            }
        }
    }

    /// The canonical JSON of an answer; nil when it is no longer kept.
    ///
    /// Reads earlier files, the newest first, until the answer is found; each is read once. Meanwhile, others who ask
    /// for an earlier answer wait.
    ///
    /// - Throws: Errors of reading a file.
    public func record(_ id: AnswerID) throws(StorageError) -> [UInt8]? {
        if let kept = contents.withLock({ $0.answers[id] }) { return try record(id, kept) }
        guard case .files(let lines) = medium else { return nil }
        return try earlier.withLock { (earlier) throws(StorageError) in
            repeat {
                if let kept = contents.withLock({ $0.answers[id] }) { return try record(id, kept) }
            } while try indexNextDay(of: lines, &earlier)
            return nil
        }
    }

    private func record(_ id: AnswerID, _ kept: Kept) throws(StorageError) -> [UInt8]? {
        switch kept {
        case .bytes(let bytes): return bytes
        case .line(let place):
            // Somebody may have replaced the file.
            guard case .files(let lines) = medium, let line = try lines.read(place),
                AnswerID(ofRecord: line[...]) == id
            else { return nil }
            return line
        }
    }

    /// Adds the newest earlier file to the index; false when there is none, or no room.
    private func indexNextDay(
        of lines: DailyLines, _ earlier: inout Earlier
    ) throws(StorageError) -> Bool {
        if earlier.days == nil { earlier.days = try lines.days() }
        let room = limit - count
        guard room > 0, earlier.bytes < Self.earlierByteLimit, let day = earlier.days?.last else {
            earlier.days = []
            return false
        }
        var found: [(id: AnswerID, place: DailyLines.Place)] = []
        earlier.bytes += try lines.forEachLine(on: day) { place, line in
            guard let id = AnswerID(ofRecord: line) else { return }
            if found.count >= 2 * room { found.removeFirst(room) }
            found.append((id, place))
        }
        earlier.days?.removeLast()
        contents.withLock { contents in
            // Answers of this process are there already. All others are older than those in the index.
            let added = found.suffix(room).filter {
                contents.answers.updateValue(.line($0.place), forKey: $0.id) == nil
            }
            contents.order.insert(contentsOf: added.map(\.id), at: contents.first)
        }
        return true
    }
}

/// The name of an answer: `ans-`, eight digits for the replica that gave it, and 24 random ones.
public struct AnswerID: Hashable, Sendable, CustomStringConvertible {
    // An index of answers has a million of these, so they are not text.
    private let high: UInt64
    private let low: UInt64

    private static let prefix = "ans-"
    private static let digits = 32
    /// What precedes the name in the canonical JSON of an answer. The members before it have no such member, and in a
    /// text the quotation marks would be escaped.
    private static let member = Array("\"id\":\"".utf8)

    /// Draws a new name.
    public init(of replica: String) {
        high = UInt64(Self.number(of: replica)) << 32 | .random(in: 0...0xFFFF_FFFF)
        low = .random(in: .min ... .max)
    }

    /// Parses a name; nil for anything else.
    public init?(_ text: String) {
        guard AnswerRecord.isID(text) else { return nil }
        let digits = text.dropFirst(Self.prefix.count)
        guard let high = UInt64(digits.prefix(16), radix: 16),
            let low = UInt64(digits.dropFirst(16), radix: 16)
        else { return nil }
        self.high = high
        self.low = low
    }

    /// The name of the answer in a line of canonical JSON; nil for other lines.
    init?(ofRecord line: ArraySlice<UInt8>) {
        var rest = line
        while let quote = rest.firstIndex(of: UInt8(ascii: "\"")) {
            rest = rest[quote...]
            if rest.starts(with: Self.member) {
                let name = rest.dropFirst(Self.member.count)
                    .prefix(Self.prefix.utf8.count + Self.digits)
                self.init(String(decoding: name, as: UTF8.self))
                return
            }
            rest = rest.dropFirst()
        }
        return nil
    }

    /// The name.
    public var description: String {
        let bytes = [high, low].flatMap { word in
            stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: word >> $0) }
        }
        return Self.prefix + Hexadecimal.encode(bytes)
    }

    /// Whether a replica of this name gave the answer. The digits of two names agree once in 2^32
    /// pairs.
    public func isOf(_ replica: String) -> Bool { high >> 32 == Self.number(of: replica) }

    private static func number(of replica: String) -> UInt32 {
        UInt32(ObjectID(of: Array(replica.utf8).span).hex.prefix(8), radix: 16) ?? 0
    }
}
