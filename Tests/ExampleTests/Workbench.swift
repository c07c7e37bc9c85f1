import Foundation

/// A directory of its own with what the project ships: a copy of the example repository, `Examples`, and the
/// built executables on the path.
final class Workbench {
    /// The root of the project.
    static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// The executables lie beside the test bundle.
    static let executables = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent()

    let directory: URL

    /// The copy of the example repository.
    var example: URL { directory.appending(path: ".fti-example") }

    init() throws {
        directory = FileManager.default.temporaryDirectory.appending(
            path: "fti-example-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        // Commands make their own folders in it, and no home.
        try FileManager.default.createDirectory(
            atPath: cache, withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            at: Self.root.appending(path: ".fti-example"),
            to: directory.appending(path: ".fti-example"))
        try FileManager.default.createSymbolicLink(
            at: directory.appending(path: "Examples"),
            withDestinationURL: Self.root.appending(path: "Examples"))
    }

    /// Where commands keep caches: beside it, so that nothing shows in it.
    private var cache: String { directory.path + ".cache" }

    deinit {
        try? FileManager.default.removeItem(at: directory)
        try? FileManager.default.removeItem(atPath: cache)
    }

    /// What a line of shell did.
    struct Outcome {
        let status: Int32
        let output: String
        let error: String
    }

    /// Runs a line of shell in the directory.
    func run(_ line: String) throws -> Outcome {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/bash")
        process.arguments = ["-c", line]
        process.currentDirectoryURL = directory
        process.environment = [
            "PATH": "\(Self.executables.path):/usr/local/bin:/usr/bin:/bin",
            "FTI_AUTHOR": "ada@test",
            "HOME": directory.path, "XDG_CACHE_HOME": cache,
            "XDG_STATE_HOME": "\(cache)/state", "XDG_CONFIG_HOME": "\(cache)/config",
            "LC_ALL": "C.UTF-8",
        ]
        // To files: a pipe that nobody reads would make the process wait.
        let scratch = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        let files = ["out", "err"].map { scratch.appendingPathExtension($0) }
        defer { for file in files { try? FileManager.default.removeItem(at: file) } }
        for file in files { try Data().write(to: file) }
        process.standardOutput = try FileHandle(forWritingTo: files[0])
        process.standardError = try FileHandle(forWritingTo: files[1])
        process.standardInput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return Outcome(
            status: process.terminationStatus,
            output: String(decoding: try Data(contentsOf: files[0]), as: UTF8.self),
            error: String(decoding: try Data(contentsOf: files[1]), as: UTF8.self))
    }

    /// Every file and folder below a folder: its path, size and time of change.
    static func listing(of folder: URL) throws -> [String] {
        let names = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
        return try names.sorted().map { name in
            let attributes = try FileManager.default.attributesOfItem(
                atPath: folder.appending(path: name).path)
            let time = attributes[.modificationDate] as? Date
            return "\(name) \(attributes[.size] ?? 0) \(time?.timeIntervalSince1970 ?? 0)"
        }
    }
}
