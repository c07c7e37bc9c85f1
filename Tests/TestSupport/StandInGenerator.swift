import Foundation
import Testing

/// The language model `Tests/StandIns/generator.py` in a process of its own, which describes its answers and faults.
package final class StandInGenerator: @unchecked Sendable {
    private let folder: TemporaryDirectory
    private let process = Process()
    private let port: String
    /// The name of its model.
    package let model: String

    /// Starts it, and waits until it listens.
    package init(model: String = "stand-in") throws {
        self.model = model
        folder = try TemporaryDirectory()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [
            "python3", Project.path("Tests/StandIns/generator.py"), folder.path, "--model", model,
        ]
        process.standardError = FileHandle.nullDevice
        try process.run()
        var port: String?
        for _ in 0..<3000 where port == nil {
            port = try? folder.text("port")
            if port == nil { usleep(10_000) }
        }
        self.port = try #require(port, "the stand-in listens")
    }

    deinit {
        // Not SIGTERM: a child inherits the blocked signals of the tests.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// Its base address.
    package var url: String { "http://127.0.0.1:\(port)/v1" }

    /// Sets its faults, a JSON object; an empty one for none.
    package func behave(_ faults: String) throws {
        try Data(faults.utf8).write(to: URL(filePath: folder("faults")), options: .atomic)
    }

    /// What it counted so far.
    package func counts() throws -> [String: Any] {
        guard let text = try? folder.text("counts") else { return [:] }
        return try #require(
            try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    /// A number that it counted, such as `requests`, `cancelled` or `mostAtOnce`.
    package func count(_ name: String) throws -> Int { try counts()[name] as? Int ?? 0 }

    /// The last request.
    package func lastRequest() throws -> [String: Any] {
        try #require(try counts()["last"] as? [String: Any])
    }

    /// Waits until a count has a value; for what the stand-in notices only later.
    package func wait(for name: String, toBe value: Int) throws {
        for _ in 0..<3000 where try count(name) < value { usleep(10_000) }
        #expect(try count(name) == value, "\(name)")
    }
}
