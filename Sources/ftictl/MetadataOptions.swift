import ArgumentParser
import CommandSupport
import Objects
import Refs

/// What a command line says of a new snapshot beside its content.
struct MetadataOptions: ParsableArguments {
    @Option(name: [.short, .long], help: "What to say of this version.")
    var message: String?

    @Option(help: ArgumentHelp("A measurement; may be repeated.", valueName: "name=number"))
    var metric: [String] = []

    @Option(help: ArgumentHelp("A parameter; may be repeated.", valueName: "name=value"))
    var param: [String] = []

    @Option(
        help: ArgumentHelp(
            "A snapshot that this one was made from; may be repeated.", valueName: "role=rev"))
    var input: [String] = []

    func validate() throws {
        if let message, message.utf8.count > Snapshot.messageLimit {
            throw ValidationError(
                "the message has \(message.utf8.count) bytes, more than \(Snapshot.messageLimit)")
        }
    }

    /// The message without user names and passwords of URLs.
    var cleanMessage: String? { message.map { Secrets.withoutCredentials($0) } }

    /// The metrics; each must be a finite number.
    func parsedMetrics() throws(CommandError) -> [String: Double] {
        var metrics: [String: Double] = [:]
        for text in metric {
            let (name, value) = try Self.pair(text, option: "--metric", example: "recall@10=0.84")
            guard let number = Double(value), number.isFinite else {
                throw .usage(
                    "the metric \(name.printable()) is not a finite number: "
                        + value.printable().truncated(to: 40),
                    remedy: "--metric \(name.printable())=0.84")
            }
            guard metrics.updateValue(number, forKey: name) == nil else {
                throw .usage("the metric \(name.printable()) is given twice")
            }
        }
        return metrics
    }

    /// The parameters: JSON numbers and truth values as such, anything else as text.
    func parsedParams() throws(CommandError) -> JSONObject {
        var params = JSONObject()
        for text in param {
            let (name, value) = try Self.pair(text, option: "--param", example: "epochs=3")
            guard params[name] == nil else {
                throw .usage("the parameter \(name.printable()) is given twice")
            }
            switch try? JSON(parsing: Array(value.utf8).span) {
            case .number(let number)?: params[name] = .number(number)
            case .bool(let truth)?: params[name] = .bool(truth)
            default:
                if let shape = Secrets.find(in: value) {
                    throw .usage(
                        "the parameter \(name.printable()) holds what looks like a secret key "
                            + "(\(shape)...), and a snapshot keeps it for ever")
                }
                params[name] = .string(Secrets.withoutCredentials(value))
            }
        }
        return params
    }

    /// The inputs by role, each resolved.
    func parsedInputs(_ resolve: (String) throws -> ObjectID) throws -> [String: ObjectID] {
        var inputs: [String: ObjectID] = [:]
        for text in input {
            let (role, revision) = try Self.pair(
                text, option: "--input", example: "dataset=datasets/sft")
            guard inputs.updateValue(try resolve(revision), forKey: role) == nil else {
                throw CommandError.usage("the input \(role.printable()) is given twice")
            }
        }
        return inputs
    }

    private static func pair(
        _ text: String, option: String, example: String
    ) throws(CommandError) -> (name: String, value: String) {
        guard let mark = text.utf8.firstIndex(of: UInt8(ascii: "=")), mark > text.startIndex else {
            throw .usage(
                "\(option) \(text.printable().truncated(to: 60)) lacks a name or =",
                remedy: "\(option) \(example)")
        }
        return (String(text[..<mark]), String(text[text.utf8.index(after: mark)...]))
    }
}
