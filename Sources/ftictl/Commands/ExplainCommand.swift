import ArgumentParser
import Artifacts
import CommandSupport
import Objects
import Refs
import Storage

struct ExplainCommand: Command {
    static let configuration = CommandConfiguration(
        "explain",
        abstract: "Check the record of an answer, and show where the answer came from.",
        discussion: """
            The file is the record of an answer as the inference service returns it, a chat \
            completion that contains one, or a line of feedback. explain compares the versions and \
            passages that the record names with the repository, follows each passage to its source \
            document, and retrieves again for the question, from the release that --against names. \
            It exits with 1 if something that is stored differs; what is not stored cannot be compared.
            """,
        examples: [
            "ftictl explain answer.json",
            "curl -s $FTI/v1/answers/$ID | ftictl explain - --against releases/prod",
        ])

    @Argument(help: "The file with the record; - for standard input.", completion: .file())
    var file: String

    @Option(
        help: ArgumentHelp(
            "The release or features to retrieve from (default: what the answer was served from).",
            valueName: "rev"),
        completion: .revisions)
    var against: String?

    @OptionGroup var options: GlobalOptions

    static var isPaged: Bool { true }

    func run(_ context: CommandContext) throws {
        let source = try AnswerFile.read(file)
        let path = try context.repositoryLocation()
        let verified = try context.verifiedLeaves(of: path)
        // Saves the record even after an error, so that the next command need not verify the same leaves.
        defer { verified.save() }
        let repository = try context.open()
        let check = try AnswerCheck.make(source.record, in: repository)
        if !check.isHere {
            try context.output.warn("the answer comes from another repository")
        }
        let labels = try RefLabels.read(in: repository)
        // The ref may have moved on from the release that gave the answer.
        let served = source.record.versions.release.flatMap { labels[$0]?.split(separator: "@")[0] }
        let now = try CurrentRetrieval.make(
            for: source.record, against: against, recorded: source.ref ?? served.map(String.init),
            in: repository, verified: verified.leaves,
            segments: SegmentCache(at: context.cachePath(of: path, ending: "segments")))
        if context.output.isJSON {
            try context.output.emit(check.json(labels, now))
        } else {
            let view = ExplanationView(
                style: context.output.style, now: context.now, labels: labels)
            for line in view.lines(check) + view.lines(now) { try context.output.line(line) }
        }
        if check.hasDifferences { throw ExitCode.negative }
    }
}

/// A file with the record of an answer.
private struct AnswerFile {
    let record: AnswerRecord
    /// The ref that the answer was served from; nil if the file does not say.
    let ref: String?

    static func read(_ path: String) throws -> AnswerFile {
        let isStandardInput = path.utf8.elementsEqual("-".utf8)
        let bytes =
            try isStandardInput
            ? standardInput() : LocalFile.read(path, limit: Feedback.lineLimit)
        do throws(JSONSchemaError) { return try AnswerFile(bytes) } catch {
            let place = isStandardInput ? "standard input" : path.printable()
            throw CommandError.usage(
                "\(place) has no record of an answer: \(error.path) \(error.reason)",
                remedy: "take it from GET /v1/answers/ID of the service that answered")
        }
    }

    private init(_ bytes: [UInt8]) throws(JSONSchemaError) {
        let reader = try JSONObjectReader(file: bytes)
        var object = (try? JSON(parsing: bytes.span))?.object ?? JSONObject()
        if let inner = object[Self.extensionMember]?.object { object = inner }
        if object["type"]?.string?.utf8.elementsEqual("feedback".utf8) == true {
            guard let answer = object["answer"]?.object else {
                throw reader.error("answer", "is missing: the service had not kept it")
            }
            object = answer
        }
        record = try AnswerRecord(object)
        ref = object["ref"]?.string
    }

    /// The member of a chat completion that has the record.
    private static let extensionMember = "fti"

    private static func standardInput() throws -> [UInt8] {
        var lines = InputLines(limit: Feedback.lineLimit)
        var bytes: [UInt8] = []
        while let line = lines.next() {
            guard case .text(let text) = line, bytes.count + text.utf8.count < Feedback.lineLimit
            else {
                throw CommandError.usage(
                    "standard input has more than \(Feedback.lineLimit) bytes")
            }
            bytes += Array(text.utf8) + [0x0A]
        }
        return bytes
    }
}
