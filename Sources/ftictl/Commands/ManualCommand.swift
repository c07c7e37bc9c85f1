import ArgumentParser
import CommandSupport
import Glibc
import Objects
import Storage

struct ManualCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "man",
        abstract: "Write manual pages for every command.",
        discussion: ArgumentHelp.discussion(
            "The pages say what --help says, for man(1).",
            examples: ["ftictl man ~/.local/share/man/man1", "ftictl man pages"]))

    @Argument(help: "The directory to write to; it is made when there is none.")
    var directory: String

    @OptionGroup var options: GlobalOptions

    func run(_ context: CommandContext) throws {
        let pages = ManualPage.all(of: try JSON(parsing: Array(Ftictl._dumpHelp().utf8).span))
        // What is wrong with it shows when the first page is written.
        mkdir(directory, 0o777)
        for page in pages {
            try LocalFile.write("\(directory)/\(page.fileName)", Array(page.text.utf8))
        }
        if context.output.isJSON {
            return try context.output.emit([
                "path": .string(directory),
                "pages": .array(pages.map { .string($0.fileName) }),
            ])
        }
        try context.output.line(
            "wrote \(Quantity.count(pages.count, "page")) to \(directory.printable()); man "
                + "\(directory.printable())/\(pages.last?.fileName ?? "") shows one")
    }
}
