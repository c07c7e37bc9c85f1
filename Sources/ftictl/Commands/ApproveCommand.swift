import ArgumentParser
import CommandSupport
import Objects
import Refs

struct ApproveCommand: Command {
    static let configuration = CommandConfiguration(
        "approve", abstract: "Approve a move of a ref from its current value to a version.",
        discussion: """
            An approval is a signed entry of the log. It is valid for one move, and becomes void as \
            soon as the ref moves anywhere, the access policy changes, or the approval expires.
            """,
        examples: [
            "ftictl approve models/current models/candidate",
            "ftictl approve models/current 3fa9c1 --expires 2d",
            "ftictl approve models/old --delete",
        ])

    @Argument(help: "The ref that may move.", completion: .revisions)
    var ref: String

    @Argument(help: ArgumentHelp("The version it may move to.", valueName: "rev"))
    var revision: String?

    @Flag(help: "Approve deleting the ref instead of moving it.")
    var delete = false

    @Option(
        help: ArgumentHelp(
            "How long the approval is valid, such as 12h, 7d or 2w.", valueName: "duration"))
    var expires = "7d"

    @Option(name: [.short, .customLong("message")], parsing: .unconditional, help: "The reason.")
    var message: String?

    @OptionGroup var options: GlobalOptions

    func validate() throws {
        guard delete == (revision == nil) else {
            throw ValidationError("give either a revision to move to, or --delete")
        }
    }

    func run(_ context: CommandContext) throws {
        guard let span = TimeSpan(expires), span.milliseconds > 0 else {
            throw CommandError.usage(
                "\(expires.printable()) is not a duration",
                remedy: "ftictl approve \(ref) \(revision ?? "--delete") --expires 7d")
        }
        let name = try RefName(ref)
        let opened = try context.open()
        let target = try revision.map { try opened.snapshotID($0) }
        if let target {
            let kind = try opened.snapshot(target).kind
            guard kind == name.namespace.kind else {
                throw RefError.wrongKind(name, target, kind: kind)
            }
        }
        let begin = opened.state.moment(at: context.now)
        guard let end = Timestamp(milliseconds: begin.milliseconds + span.milliseconds) else {
            throw CommandError.usage("\(expires.printable()) is too long", remedy: "--expires 7d")
        }
        let state = try opened.repository.approve(
            name, new: target, expires: end, on: opened.state,
            message: message
                ?? GeneratedMessage.text(
                    "approve", [revision.map { "\($0) for \(name)" } ?? "deleting \(name)"]),
            writer: context.writer)
        let approvers = state.approvers(of: name, to: target, at: begin)
        let style = context.output.style
        try context.output.result(
            [
                "transaction": .integer(state.number), "ref": .string(name.text),
                "old": .id(state.target(of: name)), "new": .id(target),
                "expires": .string(end.description),
                "approvedBy": .array(approvers.map { .string($0) }),
            ],
            "\(style.cyan(name.text))  \(state.target(of: name)?.short ?? "(none)") -> "
                + "\(style.yellow(target?.short ?? "(removed)"))  approved by \(approvers.joined(separator: ", ")), "
                + "until \(end.minuteDescription)")
    }
}
