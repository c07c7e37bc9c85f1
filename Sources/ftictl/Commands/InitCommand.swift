import ArgumentParser
import CommandSupport
import Glibc
import Objects
import Refs
import Storage

struct InitCommand: Command {
    static let configuration = CommandConfiguration(
        "init", abstract: "Create a repository.",
        discussion: """
            By default, init creates .fti in the working directory. Given another existing directory, \
            or a path that ends in a slash, it creates .fti there. Any other path, or one that ends \
            in .fti, becomes the repository itself.
            """,
        examples: [
            "ftictl init", "ftictl init project/", "ftictl init /srv/models.fti --shared",
        ])

    @Argument(help: "The directory to create .fti in, or the path of the repository itself.")
    var path: String?

    @Flag(help: "Let members of the directory's group read and write the repository.")
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
        try context.output.result(
            [
                "path": .string(place),
                "repository": .string(try repository.state().repositoryID.hex),
                "shared": .bool(shared),
            ],
            "created the repository \(place.printable())"
                + (shared ? ", shared with its group" : ""))
    }

    private func create(at place: String, _ context: CommandContext) throws -> Repository {
        do throws(RefError) {
            let repository = try Repository.create(
                at: place, writer: context.writer, isShared: shared)
            // This user may remember another repository that was here before.
            context.forget(place)
            return repository
        } catch {
            switch error {
            case .storage(.unusable): break
            // A parent of the path is a file.
            case .storage(.system(_, _, ENOTDIR)): break
            default: throw error
            }
            throw CommandError.usage(
                error.message, remedy: "ftictl init NAME.fti, with a NAME that does not exist yet")
        }
    }
}
