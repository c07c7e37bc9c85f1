internal import Glibc
internal import Processes
internal import Storage

/// The program of a trainer, found on this machine, and how to run it.
struct TrainerCommand {
    /// The path of the program.
    let program: String
    let arguments: [String]
    /// The absolute path of the configuration's folder, without symbolic links; the program runs there.
    let folder: String
    let environment: TrainerEnvironment
    /// What surrounds the program; nil to run it as it is.
    var sandbox: TrainerSandbox?

    /// Finds the program.
    ///
    /// A name with a slash is relative to the configuration's folder; any other is looked up on the path.
    ///
    /// - Throws: `noProgram` if it does not exist or is not executable.
    init(
        _ configuration: TrainerConfiguration, _ environment: TrainerEnvironment
    ) throws(TrainingError) {
        guard let folder = FilePlace.resolved(configuration.folder) else {
            throw .storage(
                .system(operation: "open", path: configuration.folder, errno: errno))
        }
        self.folder = folder
        self.environment = environment
        let name = configuration.command[0]
        guard let program = Self.find(name, from: folder, path: environment.path) else {
            throw .noProgram(name: name)
        }
        self.program = program
        arguments = Array(configuration.command.dropFirst())
    }

    /// Finds a program; nil if it does not exist or is not executable.
    static func find(_ name: String, from folder: String, path: String) -> String? {
        let candidates =
            name.utf8.contains(UInt8(ascii: "/"))
            ? [name] : path.split(separator: ":").map { "\($0)/\(name)" }
        return candidates.map { FilePlace.located($0, in: folder) }.first {
            FilePlace.isFile($0) && access($0, X_OK) == 0
        }
    }

    /// Whether the program is a Python interpreter, by its name.
    var isPython: Bool {
        let name = FilePlace.name(of: program).utf8
        return [Array("python".utf8), Array("pypy".utf8)].contains { start in
            name.starts(with: start)
                && name.dropFirst(start.count).allSatisfy {
                    (0x30...0x39).contains($0) || $0 == 0x2E
                }
        }
    }

    /// Starts the program with these arguments, or others.
    func start(_ others: [String]? = nil) throws(TrainingError) -> SupervisedProcess {
        var words = [program] + (others ?? arguments)
        if let sandbox { words = sandbox.arguments + words }
        let description = SupervisedProcess.Program(
            path: sandbox?.program ?? program, arguments: words, environment: environment.entries,
            directory: folder, wrappers: sandbox == nil ? 0 : TrainerSandbox.processes)
        do throws(SupervisedProcess.StartError) {
            return try SupervisedProcess(description)
        } catch {
            throw .storage(.system(operation: "start", path: program, errno: error.code))
        }
    }
}
