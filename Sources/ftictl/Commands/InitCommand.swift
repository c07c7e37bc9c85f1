import ArgumentParser
import CommandSupport
import Glibc
import Objects
import Refs
import Storage

struct InitCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Make a repository.",
        discussion: ArgumentHelp.discussion(
            """
            In a directory that exists, by default the working directory, the repository is its directory .fti. A name \
            that is free, or ends in .fti, becomes the repository itself. --shared lets the directory's group write \
            to it.
            """,
            examples: [
                "ftictl init", "ftictl init project/", "ftictl init /srv/models.fti --shared",
            ]))

    @Argument(help: "The directory to make it in, or the name of the repository itself.")
    var path: String?

    @Flag(help: "Let the members of the directory's group use and write it.")
    var shared = false

    @OptionGroup var options: GlobalOptions

    func run(_ context: CommandContext) throws {
        let named = path ?? options.repo ?? RepositoryLocation.directoryName
        guard !named.isEmpty else {
            throw CommandError.usage("the path is empty", remedy: "ftictl init .")
        }
        try RepositoryLocation.refuseURL(named)
        let place = RepositoryLocation.made(for: named)
        let repository = try create(at: place, context)
        if context.output.isJSON {
            let state = try repository.state()
            try context.output.emit([
                "path": .string(place), "repository": .string(state.repositoryID.hex),
                "shared": .bool(shared),
            ])
        } else {
            try context.output.line(
                "made the repository \(place.printable())"
                    + (shared ? ", shared with its group" : ""))
        }
    }

    private func create(at place: String, _ context: CommandContext) throws -> Repository {
        do throws(RefError) {
            let repository = try Repository.create(
                at: place, writer: context.writer, isShared: shared)
            // What was here before is no matter of this repository's.
            context.forget(place)
            return repository
        } catch {
            switch error {
            case .storage(.unusable): break
            // A file is in the way.
            case .storage(.system(_, _, ENOTDIR)): break
            default: throw error
            }
            throw CommandError.usage(
                error.message, remedy: "ftictl init NAME.fti with a name that is free")
        }
    }
}
