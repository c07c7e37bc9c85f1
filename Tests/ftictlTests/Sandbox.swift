import Foundation
import TestSupport
import Testing

/// A temporary working directory in which the built executables run.
final class Sandbox {
    private let temporary: TemporaryDirectory
    let directory: URL

    static let ftictl = Project.executable("ftictl")

    init() throws {
        temporary = try TemporaryDirectory()
        directory = URL(filePath: try temporary.makeDirectory("work"))
        // Commands create their own folders in the cache, but not the cache itself.
        try temporary.makeDirectory("cache")
    }

    /// A sandbox with a repository in it.
    static func withRepository() throws -> Sandbox {
        let sandbox = try Sandbox()
        #expect(try sandbox.ftictl("init").status == 0)
        return sandbox
    }

    /// Where its processes keep caches: beside the sandbox, so that listings of the sandbox do not show them.
    var cache: String { temporary("cache") }

    func path(_ name: String) -> String { directory.appending(path: name).path }

    /// Writes a file and creates the directories above it.
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

    /// Starts a process.
    func start(
        _ executable: String, _ arguments: [String], environment: [String: String] = [:]
    ) throws -> ChildProcess {
        var variables = [
            "PATH": "/usr/bin:/bin", "FTI_AUTHOR": "ada@test", "FTICTL": Self.ftictl,
            "HOME": directory.path, "XDG_CACHE_HOME": cache,
            "XDG_STATE_HOME": "\(cache)/state", "XDG_CONFIG_HOME": "\(cache)/config",
        ]
        variables.merge(environment) { $1 }
        return try ChildProcess(
            executable, arguments, in: directory.path, environment: variables)
    }

    func run(
        _ executable: String, _ arguments: [String], environment: [String: String] = [:]
    ) throws -> Outcome {
        try start(executable, arguments, environment: environment).finish()
    }
}
