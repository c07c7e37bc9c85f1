import Foundation
import TestSupport

/// A directory of its own with what the project ships: a copy of the example repository, `Examples`, and the
/// built executables on the path.
final class Workbench {
    private let temporary: TemporaryDirectory
    let directory: URL

    /// The copy of the example repository.
    var example: URL { directory.appending(path: ".fti-example") }

    init() throws {
        temporary = try TemporaryDirectory()
        directory = URL(filePath: try temporary.makeDirectory("work"))
        // Commands create their own folders in the cache, but not the cache itself.
        try temporary.makeDirectory("cache")
        try FileManager.default.copyItem(
            at: Project.root.appending(path: ".fti-example"),
            to: directory.appending(path: ".fti-example"))
        try FileManager.default.createSymbolicLink(
            at: directory.appending(path: "Examples"),
            withDestinationURL: Project.root.appending(path: "Examples"))
    }

    /// Where commands keep caches: beside it, so that nothing shows in it.
    private var cache: String { temporary("cache") }

    /// Runs a line of shell in the directory.
    func run(_ line: String) throws -> Outcome {
        try ChildProcess(
            "/bin/bash", ["-c", line], in: directory.path,
            environment: [
                "PATH": "\(Project.executables.path):/usr/local/bin:/usr/bin:/bin",
                "FTI_AUTHOR": "ada@test",
                "HOME": directory.path, "XDG_CACHE_HOME": cache,
                "XDG_STATE_HOME": "\(cache)/state", "XDG_CONFIG_HOME": "\(cache)/config",
                "LC_ALL": "C.UTF-8",
            ]
        ).finish()
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
