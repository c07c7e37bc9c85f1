import ArgumentParser
import CommandSupport
import Objects
import Refs
import Storage

struct InitCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Make a repository.",
        discussion: ArgumentHelp.discussion(
            "The path is that of the repository's own directory, by default .fti.",
            examples: ["ftictl init", "ftictl init /srv/models/.fti"]))

    @Argument(help: "The directory to make.")
    var path: String?

    @OptionGroup var options: GlobalOptions

    func run(_ context: CommandContext) throws {
        let place = path ?? options.repo ?? RepositoryLocation.directoryName
        guard !place.isEmpty else {
            throw CommandError.usage("the path is empty", remedy: "ftictl init .fti")
        }
        let repository = try create(at: place, context)
        if context.output.isJSON {
            let state = try repository.state()
            try context.output.emit([
                "path": .string(place), "repository": .string(state.repositoryID.hex),
            ])
        } else {
            try context.output.line("made the repository \(place)")
        }
    }

    private func create(at place: String, _ context: CommandContext) throws -> Repository {
        do throws(RefError) {
            let repository = try Repository.create(at: place, writer: context.writer)
            // What was here before is no matter of this repository's.
            context.forget(place)
            return repository
        } catch {
            guard case .storage(.unusable) = error else { throw error }
            let inside = place.utf8.last == UInt8(ascii: "/") ? place : place + "/"
            throw CommandError.usage(
                error.message, remedy: "ftictl init \(inside)\(RepositoryLocation.directoryName)")
        }
    }
}
