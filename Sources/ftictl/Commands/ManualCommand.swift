import ArgumentParser
import CommandSupport
import Glibc
import Objects
import Storage

struct ManualCommand: Command {
    static let configuration = CommandConfiguration(
        "man", abstract: "Write a manual page for each command.",
        discussion: "The pages contain the text of --help, for man(1).",
        examples: ["ftictl man ~/.local/share/man/man1", "ftictl man pages"])

    @Argument(help: "The directory to write to; created if it does not exist.")
    var directory: String

    @OptionGroup var options: GlobalOptions

    func run(_ context: CommandContext) throws {
        let pages = ManualPage.all(of: try JSON(parsing: Array(Ftictl._dumpHelp().utf8).span))
        // Writing the first page reports any failure.
        mkdir(directory, 0o777)
        for page in pages {
            try LocalFile.write("\(directory)/\(page.fileName)", Array(page.text.utf8))
        }
        try context.output.result(
            ["path": .string(directory), "pages": .array(pages.map { .string($0.fileName) })],
            "wrote \(Quantity.count(pages.count, "page")) to \(directory.printable()); man "
                + "\(directory.printable())/\(pages.last?.fileName ?? "") shows one")
    }
}

/// A manual page in the macros of man(7), generated from the help of a command.
struct ManualPage {
    /// The file name, such as `ftictl-put.1`.
    let fileName: String
    /// The source of the page.
    let text: String

    /// The pages of the tool and of each of its commands.
    ///
    /// - Parameter tool: The output of `--experimental-dump-help`.
    static func all(of tool: JSON) -> [ManualPage] {
        guard let root = tool["command"], let name = root["commandName"]?.string else { return [] }
        let commands = (root["subcommands"]?.array ?? []).filter {
            $0["commandName"]?.string != "help"
        }
        let pages = commands.map {
            Self($0, path: [name], commands: $0["subcommands"]?.array ?? [])
        }
        return [Self(root, path: [], commands: [], others: commands)] + pages
    }

    /// - Parameters:
    ///   - path: The names of its parent commands.
    ///   - commands: The subcommands that this page describes.
    ///   - others: The subcommands that have their own pages.
    private init(_ command: JSON, path: [String], commands: [JSON], others: [JSON] = []) {
        let words = path + [command["commandName"]?.string ?? ""]
        let name = words.joined(separator: "-")
        fileName = "\(name).1"
        var page = Roff()
        page.macro("TH", name.uppercased(), "1", "", "fti \(Version.text)", "fti")
        page.section("NAME")
        page.line("\(name) - \(command["abstract"]?.string ?? "")")
        page.section("SYNOPSIS")
        if commands.isEmpty {
            page.synopsis(words, command)
        } else {
            for command in commands {
                page.synopsis(words + [command["commandName"]?.string ?? ""], command)
            }
        }
        if let text = command["discussion"]?.string {
            page.section("DESCRIPTION")
            page.discussion(text)
        }
        if commands.isEmpty { page.arguments(of: command) }
        for command in commands {
            page.section(
                words.joined(separator: " ") + " " + (command["commandName"]?.string ?? ""))
            page.line(command["abstract"]?.string ?? "")
            if let text = command["discussion"]?.string { page.discussion(text) }
            page.arguments(of: command, heading: nil)
        }
        if !others.isEmpty {
            page.section("COMMANDS")
            for command in others {
                let other = "\(name)-\(command["commandName"]?.string ?? "")"
                page.item("\(other)(1)", command["abstract"]?.string ?? "")
            }
        }
        page.section("EXIT STATUS")
        for status in ExitStatus.allCases { page.item("\(status.rawValue)", status.meaning) }
        if !path.isEmpty {
            page.section("SEE ALSO")
            page.line("\(path.joined(separator: "-"))(1)")
        }
        text = page.text
    }
}

/// A builder of troff source.
private struct Roff {
    private(set) var text = ""

    mutating func macro(_ name: String, _ arguments: String...) {
        let quoted = arguments.map { "\"\(Self.escaped($0).replacingQuotes)\"" }
        text += ".\(name) \(quoted.joined(separator: " "))\n"
    }

    mutating func section(_ name: String) { macro("SH", name) }

    /// A line of text, which troff fills together with its neighbours.
    mutating func line(_ line: String) {
        let escaped = Self.escaped(line)
        // A line that begins so would be a request.
        let isRequest =
            escaped.utf8.first == UInt8(ascii: ".") || escaped.utf8.first == UInt8(ascii: "'")
        text += (isRequest ? "\\&" : "") + escaped + "\n"
    }

    /// A term with its meaning.
    mutating func item(_ term: String, _ meaning: String) {
        text += ".TP\n\\fB\(Self.escaped(term))\\fR\n"
        line(meaning)
    }

    /// Paragraphs; indented lines keep their line breaks.
    mutating func discussion(_ discussion: String) {
        var isExample = false
        for line in discussion.utf8.split(separator: 0x0A, omittingEmptySubsequences: false) {
            let line = String(decoding: line, as: UTF8.self)
            let isIndented = line.utf8.first == UInt8(ascii: " ")
            if isIndented != isExample {
                text += isIndented ? ".PP\n.nf\n" : ".fi\n"
                isExample = isIndented
            }
            if line.isEmpty { text += ".PP\n" } else { self.line(line) }
        }
        if isExample { text += ".fi\n" }
    }

    mutating func synopsis(_ words: [String], _ command: JSON) {
        text += ".PP\n\\fB\(Self.escaped(words.joined(separator: " ")))\\fR\n"
        for argument in Self.shown(command) {
            let usage = Self.usage(argument)
            let isOptional = argument["isOptional"]?.bool ?? false
            let dots = argument["isRepeating"]?.bool ?? false ? " ..." : ""
            line((isOptional ? "[\(usage)]" : usage) + dots)
        }
    }

    mutating func arguments(of command: JSON, heading: String? = "OPTIONS") {
        let arguments = Self.shown(command)
        guard !arguments.isEmpty else { return }
        if let heading { section(heading) }
        for argument in arguments {
            let names = (argument["names"]?.array ?? []).map(Self.name)
            let value = argument["valueName"]?.string.map { "<\($0)>" } ?? ""
            let term =
                switch argument["kind"]?.string {
                case "positional": value
                case "flag": names.joined(separator: ", ")
                default: names.joined(separator: ", ") + " " + value
                }
            item(term, argument["abstract"]?.string ?? "")
        }
    }

    private static func shown(_ command: JSON) -> [JSON] {
        (command["arguments"]?.array ?? []).filter { $0["shouldDisplay"]?.bool ?? true }
    }

    private static func usage(_ argument: JSON) -> String {
        let value = argument["valueName"]?.string.map { "<\($0)>" } ?? ""
        let name = argument["preferredName"].map(name) ?? ""
        return switch argument["kind"]?.string {
        case "positional": value
        case "flag": name
        default: "\(name) \(value)"
        }
    }

    private static func name(_ name: JSON) -> String {
        (name["kind"]?.string == "long" ? "--" : "-") + (name["name"]?.string ?? "")
    }

    /// Text without troff commands, in which hyphens stay copyable.
    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\e"
            case "-": result += "\\-"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

extension String {
    /// This text with double quotes escaped for a troff argument.
    fileprivate var replacingQuotes: String {
        split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\\(dq")
    }
}
