public import Objects
public import Refs
internal import Storage

/// The report of a trainer that did not succeed. No model was published.
public struct TrainerFailure: Hashable, Sendable {
    /// The last checkpoint of the failed run, as it was published.
    public struct Checkpoint: Hashable, Sendable {
        /// The ref that points at it.
        public let ref: RefName
        /// The snapshot.
        public let id: ObjectID
        /// Its step; nil if unknown.
        public let step: Int?
    }

    /// The command.
    public let command: [String]
    /// What happened, as the rest of a sentence that begins with the trainer.
    public let reason: String
    /// What happened, as one word: `exited`, `signalled`, `notStarted`, `timeout`, `silence`, `interrupted`, `output`.
    public let end: String
    /// The exit code or the number of the signal; nil if there is none.
    public let code: Int?
    /// How long the trainer ran.
    public let seconds: Double
    /// The last lines of its log.
    public let lastLines: [String]
    /// The path of its log; nil if it could not be kept.
    public let log: String?
    /// The checkpoint; nil if the configuration asks for none, or none was complete.
    public let checkpoint: Checkpoint?
    /// Why a checkpoint that is there could not be published; nil if that did not happen.
    public let checkpointProblem: String?
    /// The path of the configuration.
    public let configuration: String
    /// What to change in the trainer; nil if its log has to tell.
    let advice: String?

    var message: String {
        let name = command.map(Self.quoted).joined(separator: " ")
        var lines = ["the trainer \(reason)", "command: \(name)"]
        lines.append("it ran for \(TrainerMetrics.time(seconds))")
        if lastLines.isEmpty {
            lines.append("it wrote nothing to its log")
        } else {
            lines.append("the last lines of its log:")
            lines += lastLines.map { "  \($0)" }
        }
        if let log { lines.append("its log is kept in \(log)") }
        if let checkpoint {
            let step = checkpoint.step.map { " of step \($0)" } ?? ""
            lines.append(
                "its last checkpoint\(step) is now \(checkpoint.ref) (\(checkpoint.id.short))")
        }
        if let checkpointProblem {
            lines.append("its last checkpoint could not be published: \(checkpointProblem)")
        }
        return lines.joined(separator: "\n")
    }

    var remedy: String? {
        guard checkpoint != nil, advice == nil else { return advice }
        return "fti-training run \(Self.quoted(configuration)) --resume goes on from the checkpoint"
    }

    /// The members of the report in JSON.
    var details: JSONObject {
        var object = JSONObject()
        object["command"] = .array(command.map { .string($0) })
        object["end"] = .string(end)
        object["code"] = code.map { .integer($0) } ?? .null
        object["seconds"] = .number(seconds)
        object["lastLines"] = .array(lastLines.map { .string($0) })
        object["log"] = log.map { .string($0) } ?? .null
        object["checkpoint"] =
            checkpoint.map { checkpoint in
                [
                    "ref": .string(checkpoint.ref.text), "snapshot": .string(checkpoint.id.hex),
                    "step": checkpoint.step.map { .integer($0) } ?? .null,
                ]
            } ?? .null
        object["checkpointProblem"] = checkpointProblem.map { .string($0) } ?? .null
        return JSONObject([("trainer", .object(object))])
    }

    /// A word as a shell reads it.
    private static func quoted(_ word: String) -> String {
        let isPlain =
            !word.isEmpty
            && word.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20)
                    || "/._-+=:,@%".utf8.contains(byte)
            }
        return isPlain
            ? word
            : "'\(word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''"))'"
    }
}

/// The logs of failed runs, in the user's folder for state; only the newest are kept.
struct KeptLogs {
    /// The folder; nil without a home directory, so that nothing is kept.
    let folder: String?

    private static let limit = 20
    private static let ending = ".log"

    /// Keeps a log; returns its path, or nil if it cannot be written.
    func keep(_ log: [UInt8], of model: RefName, at moment: Timestamp) -> String? {
        guard let folder else { return nil }
        let files = PrivateFolder(folder)
        let time = moment.description.filter { $0 != ":" }
        let name = "\(time)-\(model.components.joined(separator: "-"))\(Self.ending)"
        guard (try? files.replace(name, log)) != nil else { return nil }
        let names = (try? files.names(suffix: Self.ending)) ?? []
        for old in names.dropLast(Self.limit) { try? files.remove(old) }
        return "\(folder)/\(name)"
    }
}
