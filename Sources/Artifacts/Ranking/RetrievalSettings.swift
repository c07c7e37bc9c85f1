public import Objects

/// How rows are found for a question before they are ranked, and how many are shown.
public struct RetrievalSettings: Hashable, Sendable {
    /// Where candidates come from.
    public enum Mode: String, CaseIterable, Sendable {
        /// The nearest by vector and the best by words.
        case hybrid
        /// The nearest by vector.
        case vector
        /// The best by words.
        case lexical
    }

    /// See ``Mode``.
    public var mode = Mode.hybrid
    /// How many candidates each way of looking gives, from 1 to 100,000.
    public var candidates = 100
    /// How many passages are shown unless a question says otherwise.
    public var k = 5
    /// How many chunks of one document come before those of others; 0 for any number.
    public var perDocument = 0

    /// What ``candidates`` may be.
    public static let candidateRange = 1...100_000
    /// What ``k`` may be.
    public static let countRange = 1...1000

    /// The defaults.
    public init() {}

    /// The settings as a configuration says them.
    public var json: JSON {
        [
            "mode": .string(mode.rawValue), "candidates": .integer(candidates), "k": .integer(k),
            "perDocument": .integer(perDocument),
        ]
    }

    init(_ reader: inout JSONObjectReader) throws(JSONSchemaError) {
        guard let mode = Mode(rawValue: try reader.string("mode")) else {
            throw reader.error("mode", "must be hybrid, vector or lexical")
        }
        self.mode = mode
        candidates = try reader.count("candidates")
        k = try reader.count("k")
        perDocument = try reader.count("perDocument")
        guard Self.candidateRange.contains(candidates), Self.countRange.contains(k) else {
            throw reader.error("candidates", "or k is out of range")
        }
    }
}
