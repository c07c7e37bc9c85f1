import Foundation
import Testing

@Suite("Torture, in short")
struct TortureTests {
    private static let script = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Benchmarks/torture/torture.py").path

    @Test("a sample of kills, errors, lost writes, crowds and flipped bits violates nothing")
    func short() throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", Self.script, "--short", "--ftictl", Sandbox.ftictl]
        // To a file: a pipe that nobody reads fills up.
        let output = FileManager.default.temporaryDirectory.appending(
            path: "torture-\(UUID().uuidString)")
        try Data().write(to: output)
        defer { try? FileManager.default.removeItem(at: output) }
        let handle = try FileHandle(forWritingTo: output)
        process.standardOutput = handle
        process.standardError = handle
        try process.run()
        process.waitUntilExit()
        let said = String(decoding: try Data(contentsOf: output), as: UTF8.self)
        // Where processes may not be traced it says so, with what to do, and has failed.
        #expect(process.terminationStatus == 0, "\(said)")
        #expect(said.contains("torture: 0 violations"))
    }
}
