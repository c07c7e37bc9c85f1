internal import Objects

/// An example that a language model made from rows of the features.
struct GeneratedExample: Sendable {
    /// What made an example.
    struct Origin: Sendable {
        /// The name of the model.
        let model: String
        /// The address of its service, without credentials.
        let address: String
        /// The hash of the request.
        let request: String

        var json: JSON {
            [
                "model": .string(model), "url": .string(address), "request": .string(request),
            ]
        }
    }

    let id: String
    let question: String
    let answer: String
    /// A worse answer; nil if there is none to learn from.
    let worse: String?
    /// The rows that the model was shown.
    let rows: [Int]
    let origin: Origin
    var isHeldOut = false
}

/// The examples that a language model made.
struct GeneratedExamples: Sendable {
    /// The snapshot of the replies.
    let snapshot: ObjectID
    /// The examples, in the order of the features.
    var all: [GeneratedExample]
    let report: GenerationReport
}

/// What a run asked a language model, and what it made of the replies.
public struct GenerationReport: Hashable, Sendable {
    /// The name of the model.
    public let model: String
    /// What one request shows.
    public let unit: GenerationSettings.Unit
    /// The number of units.
    public let units: Int
    /// The number of replies that this run received.
    public internal(set) var asked = 0
    /// The number of replies that were there before.
    public internal(set) var known = 0
    /// The number of requests that failed; the next run repeats them.
    public internal(set) var failed = 0
    /// Why the last of them failed.
    public internal(set) var failure: String?
    /// The number of units whose text was cut.
    public internal(set) var cut = 0
    /// The number of examples.
    public internal(set) var examples = 0
    /// The number of examples with a worse answer.
    public internal(set) var pairs = 0
    /// The numbers of examples that are not used, by reason.
    public internal(set) var leftOut: [ExampleFault: Int] = [:]

    init(model: String, unit: GenerationSettings.Unit, units: Int) {
        self.model = model
        self.unit = unit
        self.units = units
    }

    /// The reasons in order, with their numbers.
    private var reasons: [(fault: ExampleFault, count: Int)] {
        ExampleFault.allCases.compactMap { fault in leftOut[fault].map { (fault, $0) } }
    }

    /// The reasons with their numbers as the end of a sentence.
    var reasonsText: String {
        reasons.isEmpty
            ? "they are empty"
            : reasons.map { "\($0.count) \($0.fault.rawValue)" }.joined(separator: ", ")
    }

    var json: JSON {
        [
            "model": .string(model), "per": .string(unit.rawValue), "units": .integer(units),
            "asked": .integer(asked), "known": .integer(known), "failed": .integer(failed),
            "failure": failure.map { .string($0) } ?? .null, "cut": .integer(cut),
            "examples": .integer(examples), "pairs": .integer(pairs),
            "leftOut": .array(
                reasons.map {
                    ["reason": .string($0.fault.rawValue), "count": .integer($0.count)]
                }),
        ]
    }

    /// The report as lines of text.
    var lines: [String] {
        var lines = [
            "generated    \(examples) examples by \(model), \(pairs) with a worse answer, from "
                + unit.counted(units),
            "  requests: \(asked) sent, \(known) answered before",
        ]
        if failed > 0 {
            lines.append(
                "  failed: \(failed), which the next run repeats\(failure.map { ": \($0)" } ?? "")")
        }
        if cut > 0 { lines.append("  cut to the size of a request: \(unit.counted(cut))") }
        return lines + reasons.map { "  left out: \($0.count) \($0.fault.rawValue)" }
    }
}
