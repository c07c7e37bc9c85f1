internal import Artifacts
internal import Objects
internal import Refs
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
        /// All of them: one file a day of JSON lines. The newest ones, ``AnswerStore/indexed`` at most, can be found.
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

    /// The most answers of a folder that can be found.
    public static let indexed = 1_000_000
    /// The most bytes of answers in memory, whatever their number.
    public static let byteLimit = 256 << 20

    private let medium: Medium
    private let limit: Int
    private let contents = Mutex(Contents())

    /// Makes an empty store.
    public init(in medium: Medium) {
        self.medium = medium
        limit =
            switch medium {
            case .memory(let count): count
            case .files: Self.indexed
            }
    }

    /// The number of answers that can be found.
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
    /// - Throws: Errors of reading its file.
    public func record(_ id: AnswerID) throws(StorageError) -> [UInt8]? {
        switch contents.withLock({ $0.answers[id] }) {
        case nil: nil
        case .bytes(let bytes): bytes
        case .line(let place):
            if case .files(let lines) = medium { try lines.read(place) } else { nil }
        }
    }
}

/// The name of an answer: `ans-`, eight digits for the replica that gave it, and 24 random ones.
public struct AnswerID: Hashable, Sendable, CustomStringConvertible {
    /// The name.
    public let description: String

    private static let prefix = "ans-"
    private static let replicaDigits = 8

    /// Draws a new name.
    public init(of replica: String) {
        let random = RandomBits { UInt64.random(in: .min ... .max) }
        description =
            Self.prefix + Self.digits(of: replica) + random.hex.dropFirst(Self.replicaDigits)
    }

    /// Parses a name; nil for anything else.
    public init?(_ text: String) {
        guard AnswerRecord.isID(text) else { return nil }
        description = text
    }

    /// Whether a replica of this name gave the answer. The digits of two names agree once in 2^32
    /// pairs.
    public func isOf(_ replica: String) -> Bool {
        description.dropFirst(Self.prefix.count).hasPrefix(Self.digits(of: replica))
    }

    private static func digits(of replica: String) -> String {
        String(ObjectID(of: Array(replica.utf8).span).hex.prefix(replicaDigits))
    }
}
