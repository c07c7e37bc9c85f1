import Foundation
import Testing

/// The exit status and the output of a process.
package struct Outcome: Sendable {
    package let status: Int32
    package let output: String
    package let error: String

    /// The lines of standard output.
    package var lines: [String] { output.split(separator: "\n").map(String.init) }

    /// Standard output as one JSON object per line.
    package func objects() throws -> [[String: Any]] { try lines.map(Self.object) }

    /// Standard output as one JSON object.
    package func object() throws -> [String: Any] {
        let objects = try objects()
        #expect(objects.count == 1)
        return try #require(objects.first)
    }

    /// The JSON object on standard error that describes an error.
    package func errorObject() throws -> [String: Any] { try Self.object(error) }

    private static func object(_ text: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }
}

/// A running process whose outputs go to files, so that it never waits for a reader.
package final class ChildProcess {
    private let process = Process()
    private let files: TemporaryDirectory

    /// Starts a process without standard input.
    ///
    /// - Parameters:
    ///   - directory: Where it runs; by default where the tests run.
    ///   - environment: Its whole environment; by default that of the tests.
    package init(
        _ executable: String, _ arguments: [String], in directory: String? = nil,
        environment: [String: String]? = nil
    ) throws {
        files = try TemporaryDirectory()
        process.executableURL = URL(filePath: executable)
        process.arguments = arguments
        if let directory { process.currentDirectoryURL = URL(filePath: directory) }
        if let environment { process.environment = environment }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try FileHandle(
            forWritingTo: URL(filePath: files.write("output", "")))
        process.standardError = try FileHandle(
            forWritingTo: URL(filePath: files.write("error", "")))
        try process.run()
    }

    /// The number of the process.
    package var identifier: Int32 { process.processIdentifier }

    /// Kills the process, as the system does when memory runs out.
    package func kill() { Foundation.kill(process.processIdentifier, SIGKILL) }

    /// Waits until the process ends.
    package func finish() throws -> Outcome {
        process.waitUntilExit()
        return Outcome(
            status: process.terminationStatus, output: try output("output"),
            error: try output("error"))
    }

    private func output(_ name: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: files(name))), as: UTF8.self)
    }
}
