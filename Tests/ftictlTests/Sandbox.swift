import Foundation
import Testing

/// What a process did.
struct Outcome {
    let status: Int32
    let output: String
    let error: String

    /// The lines of standard output.
    var lines: [String] { output.split(separator: "\n").map(String.init) }

    /// Standard output as one JSON object a line.
    func objects() throws -> [[String: Any]] {
        try lines.map { line in
            try #require(
                try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        }
    }

    /// Standard output as one JSON object.
    func object() throws -> [String: Any] {
        let objects = try objects()
        #expect(objects.count == 1)
        return try #require(objects.first)
    }

    /// The JSON object that tells of an error.
    func errorObject() throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(error.utf8)) as? [String: Any])
    }
}

/// A directory of its own, and the built executable to run in it.
final class Sandbox {
    let directory: URL

    /// The executables lie beside the test bundle.
    static let executables = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent()

    static var ftictl: String { executables.appending(path: "ftictl").path }

    init() throws {
        directory = FileManager.default.temporaryDirectory.appending(
            path: "ftictl-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        // Commands make their own folders in it, and no home.
        try FileManager.default.createDirectory(
            atPath: cache, withIntermediateDirectories: true)
    }

    /// A sandbox with a repository in it.
    static func withRepository() throws -> Sandbox {
        let sandbox = try Sandbox()
        #expect(try sandbox.ftictl("init").status == 0)
        return sandbox
    }

    /// Where its processes keep caches: beside it, so that nothing shows in it.
    var cache: String { directory.path + ".cache" }

    deinit {
        try? FileManager.default.removeItem(at: directory)
        try? FileManager.default.removeItem(atPath: cache)
    }

    func path(_ name: String) -> String { directory.appending(path: name).path }

    /// Writes a file, with the directories that it is in.
    @discardableResult
    func write(_ name: String, _ text: String) throws -> String {
        try write(name, Data(text.utf8))
    }

    @discardableResult
    func write(_ name: String, _ bytes: Data) throws -> String {
        let url = directory.appending(path: name)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try bytes.write(to: url)
        return url.path
    }

    func read(_ name: String) throws -> String {
        try String(contentsOf: directory.appending(path: name), encoding: .utf8)
    }

    /// Runs ftictl and waits for it.
    func ftictl(_ arguments: String..., environment: [String: String] = [:]) throws -> Outcome {
        try run(Self.ftictl, arguments, environment: environment)
    }

    func ftictl(_ arguments: [String]) throws -> Outcome { try run(Self.ftictl, arguments) }

    /// Runs a line of shell, in which `$FTICTL` is the executable.
    func shell(_ line: String) throws -> Outcome { try run("/bin/bash", ["-c", line]) }

    /// Begins a process; its outputs go to files, so that it never waits for a reader.
    func start(
        _ executable: String, _ arguments: [String], environment: [String: String] = [:]
    ) throws -> Running {
        let process = Process()
        process.executableURL = URL(filePath: executable)
        process.arguments = arguments
        process.currentDirectoryURL = directory
        var variables = [
            "PATH": "/usr/bin:/bin", "FTI_AUTHOR": "ada@test", "FTICTL": Self.ftictl,
            "HOME": directory.path, "XDG_CACHE_HOME": cache,
            "XDG_STATE_HOME": "\(cache)/state", "XDG_CONFIG_HOME": "\(cache)/config",
        ]
        variables.merge(environment) { $1 }
        process.environment = variables
        let scratch = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        let running = Running(
            process: process, output: scratch.appendingPathExtension("out"),
            error: scratch.appendingPathExtension("err"))
        for file in [running.output, running.error] {
            try Data().write(to: file)
        }
        process.standardOutput = try FileHandle(forWritingTo: running.output)
        process.standardError = try FileHandle(forWritingTo: running.error)
        process.standardInput = FileHandle.nullDevice
        try process.run()
        return running
    }

    func run(
        _ executable: String, _ arguments: [String], environment: [String: String] = [:]
    ) throws -> Outcome {
        try start(executable, arguments, environment: environment).finish()
    }
}

/// A process that was started.
struct Running {
    let process: Process
    let output: URL
    let error: URL

    /// Waits for its end.
    func finish() throws -> Outcome {
        process.waitUntilExit()
        defer {
            try? FileManager.default.removeItem(at: output)
            try? FileManager.default.removeItem(at: error)
        }
        return Outcome(
            status: process.terminationStatus,
            output: String(decoding: try Data(contentsOf: output), as: UTF8.self),
            error: String(decoding: try Data(contentsOf: error), as: UTF8.self))
    }
}
