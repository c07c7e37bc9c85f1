import Foundation
import TestSupport
import Testing

/// A folder with files, in which the programs run as a user would run them.
struct EncoderProject {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    /// The path of a file in the folder.
    func path(_ name: String) -> String { directory(name) }

    /// Writes a file, with the folders above it.
    func write(_ name: String, _ bytes: [UInt8]) throws {
        let url = URL(filePath: directory(name))
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: url)
    }

    /// Writes a file of text.
    func write(_ name: String, _ text: String) throws { try write(name, Array(text.utf8)) }

    /// Writes the files of a model into a folder.
    func write(_ name: String, _ model: SampleFolder) throws {
        for (file, bytes) in model.files { try write("\(name)/\(file)", bytes) }
    }

    /// Runs a program, which must end with a status.
    @discardableResult
    func run(_ program: String, _ arguments: [String], status: Int32 = 0) throws -> Outcome {
        let outcome = try ChildProcess(
            Project.executable(program), arguments, in: directory.path,
            environment: [
                "FTI_AUTHOR": "ada@test", "HOME": directory.path, "LC_ALL": "C.UTF-8",
            ]
        ).finish()
        #expect(outcome.status == status, "\(program) \(arguments): \(outcome.error)")
        return outcome
    }
}
