import ArgumentParser
import CommandSupport
import Objects
import Refs

/// The option for the message of a new snapshot.
struct MessageOption: ParsableArguments {
    @Option(
        name: [.short, .long], parsing: .unconditional,
        help: "A message that describes this version.")
    var message: String?

    func validate() throws {
        if let message, message.utf8.count > Snapshot.messageLimit {
            throw ValidationError(
                "the message has \(message.utf8.count) bytes; the limit is \(Snapshot.messageLimit)"
            )
        }
    }
}

/// The options for the metadata of a new snapshot.
struct MetadataOptions: ParsableArguments {
    @OptionGroup var description: MessageOption

    @Option(help: ArgumentHelp("A metric; may be repeated.", valueName: "name=number"))
    var metric: [String] = []

    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp("A parameter, as text; may be repeated.", valueName: "name=text"))
    var param: [String] = []

    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "A parameter, as JSON: a number, boolean, list or object; may be repeated.",
            valueName: "name=json"))
    var paramJson: [String] = []

    @Option(
        help: ArgumentHelp(
            "A snapshot that this one was made from; may be repeated.", valueName: "role=rev"))
    var input: [String] = []

    @Option(
        help: ArgumentHelp(
            "The input whose embedding space the model needs, such as features or dataset.features.",
            valueName: "role"))
    var space: String?

    func validate() throws {
        // The transaction would refuse a secret too, but only after reading all the content.
        for text in [description.message ?? ""] + metric + param + paramJson + input {
            guard let name = Secrets.find(in: text) else { continue }
            throw ValidationError(
                "the metadata contains a likely secret key (\(name)...), and log entries are permanent"
            )
        }
    }

    /// The message, with user names and passwords removed from URLs.
    var message: String? { description.message.map { Secrets.withoutCredentials($0) } }

    /// Parses the metrics; refuses a value that is not a finite number, and an integer beyond 2^53.
    func parsedMetrics() throws(CommandError) -> [String: Double] {
        var metrics: [String: Double] = [:]
        for (name, value) in try Self.pairs(metric, option: "--metric", example: "recall@10=0.84") {
            guard let number = Double(value), number.isFinite else {
                throw .usage(
                    "the metric \(name.printable()) is not a finite number: "
                        + value.printable().truncated(to: 40),
                    remedy: "--metric \(name.printable())=0.84")
            }
            guard Self.isKept(value) else {
                throw .usage(
                    "the metric \(name.printable()) would lose digits: integers beyond 2^53 are not "
                        + "exact: \(value.printable().truncated(to: 40))",
                    remedy: "--param \(name.printable())=\(value.printable().truncated(to: 40))")
            }
            guard metrics.updateValue(number, forKey: name) == nil else {
                throw .usage("the metric \(name.printable()) is given twice")
            }
        }
        return metrics
    }

    /// Whether a double keeps all digits: false for an integer beyond 2^53.
    private static func isKept(_ text: String) -> Bool {
        let hasSign = text.utf8.first.map { $0 == 0x2B || $0 == 0x2D } ?? false
        guard text.utf8.dropFirst(hasSign ? 1 : 0).allSatisfy({ 0x30...0x39 ~= $0 }) else {
            return true
        }
        return Int(text).map { $0.magnitude <= UInt(JSON.largestInteger) } ?? false
    }

    /// Parses the parameters given as text and those given as JSON.
    func parsedParams() throws(CommandError) -> JSONObject {
        var params = JSONObject()
        for (name, value) in try Self.pairs(param, option: "--param", example: "version=1.10") {
            try Self.add(.string(value), name, to: &params)
        }
        for (name, value) in try Self.pairs(
            paramJson, option: "--param-json", example: "epochs=3")
        {
            let json: JSON
            do throws(JSONError) {
                json = try JSON(parsing: Array(value.utf8).span)
            } catch {
                throw .usage(
                    "the parameter \(name.printable()) is not JSON: \(error.reason)",
                    remedy: "--param \(name.printable())=... stores it as text")
            }
            try Self.add(json, name, to: &params)
        }
        return params
    }

    private static func add(
        _ value: JSON, _ name: String, to params: inout JSONObject
    ) throws(CommandError) {
        guard params[name] == nil else {
            throw .usage("the parameter \(name.printable()) is given twice")
        }
        params[name] = withoutCredentials(value)
    }

    /// A value with user names and passwords removed from URLs.
    private static func withoutCredentials(_ value: JSON) -> JSON {
        switch value {
        case .null, .bool, .number, .float: value
        case .string(let text): .string(Secrets.withoutCredentials(text))
        case .array(let values): .array(values.map(withoutCredentials))
        case .object(let object):
            .object(
                JSONObject(
                    object.map {
                        (Secrets.withoutCredentials($0.key), withoutCredentials($0.value))
                    })
            )
        }
    }

    /// Parses the inputs and resolves each revision.
    func parsedInputs(_ resolve: (String) throws -> ObjectID) throws -> [String: ObjectID] {
        var inputs: [String: ObjectID] = [:]
        for (role, revision) in try Self.pairs(
            input, option: "--input", example: "dataset=datasets/sft")
        {
            guard inputs.updateValue(try resolve(revision), forKey: role) == nil else {
                throw CommandError.usage("the input \(role.printable()) is given twice")
            }
        }
        return inputs
    }

    /// The embedding space that a new snapshot needs: that of the input named by `--space`, else, for a model of
    /// `fti-training`, that of its features.
    func space(
        of snapshot: Snapshot, in objects: some ObjectSource
    ) throws -> ObjectID? {
        guard let space else { return try SpaceNeed(of: snapshot, in: objects).id }
        guard snapshot.kind == .model else {
            throw CommandError.usage("--space applies only to models", remedy: "omit --space")
        }
        guard let id = try SpaceNeed.inherited(from: space, of: snapshot, in: objects) else {
            throw CommandError.usage(
                "no input \(space.printable()) has an embedding space",
                remedy: "--input features=REV --space features, with a REV that has one")
        }
        return id
    }

    /// Splits the values of an option at their first `=`.
    private static func pairs(
        _ texts: [String], option: String, example: String
    ) throws(CommandError) -> [(name: String, value: String)] {
        try texts.separated.map { (text) throws(CommandError) in
            guard let mark = text.utf8.firstIndex(of: UInt8(ascii: "=")), mark > text.startIndex
            else {
                throw .usage(
                    "\(option) takes NAME=VALUE, not \(text.printable().truncated(to: 60))",
                    remedy: "\(option) \(example)")
            }
            return (String(text[..<mark]), String(text[text.utf8.index(after: mark)...]))
        }
    }
}

extension ArgumentHelp {
    /// The help of the ref that a command moves.
    static let refToMove: Self = "The ref to move; created if it does not exist."
}
