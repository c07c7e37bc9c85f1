import Foundation
import TestSupport
import Testing

@Suite("Verifying")
struct VerifyTests {
    @Test("a sound repository is reported as sound, and damage with what it affects")
    func verify() throws {
        let sandbox = try Sandbox.withRepository()
        try sandbox.write("m/big", Data((0..<100_000).map { _ in UInt8.random(in: 0...255) }))
        try sandbox.write("m/small", "x")
        _ = try sandbox.ftictl("put", "models/a", "m")
        let sound = try sandbox.ftictl("verify", "--full", "--json")
        #expect(sound.status == 0)
        #expect(try sound.object()["ok"] as? Bool == true)
        #expect(try sound.object()["objects"] as? Int == 4)
        let pack = try sandbox.shell("ls .fti/packs").lines[0]
        _ = try sandbox.shell(
            "chmod u+w .fti/packs/*; printf XXXX | dd of=.fti/packs/\(pack) bs=1 seek=5000 conv=notrunc"
        )
        let damaged = try sandbox.ftictl("verify", "--full", "--json")
        #expect(damaged.status == 1)
        let object = try damaged.object()
        #expect(object["ok"] as? Bool == false)
        let findings = try #require(object["findings"] as? [[String: Any]])
        #expect(findings.count == 1)
        #expect(findings[0]["affects"] as? [String] == ["models/a:big"])
        #expect((findings[0]["where"] as? String)?.hasPrefix("packs/") == true)
        let read = try sandbox.ftictl("get", "models/a", "-o", "out")
        #expect(read.status == 5)
        #expect(read.error.contains("try: ftictl verify --full"))
        #expect(!FileManager.default.fileExists(atPath: sandbox.path("out/big")))
        _ = try sandbox.shell("rm -f .fti/packs/*")
        #expect(try sandbox.ftictl("verify").status == 1)
        #expect(try sandbox.ftictl("show", "models/a").status == 5)
    }

    @Test("a changed log entry is found")
    func log() throws {
        let sandbox = try Sandbox.withRepository()
        for text in ["1", "2", "3"] {
            try sandbox.write("m", text)
            _ = try sandbox.ftictl("put", "models/a", "m", "-m", "version \(text)")
        }
        let entry = ".fti/log/00000000000000000002.json"
        _ = try sandbox.shell("chmod u+w \(entry)")
        try sandbox.write(entry, sandbox.read(entry).replacing("version 2", with: "version 9"))
        let outcome = try sandbox.ftictl("verify", "--json")
        #expect(outcome.status == 1)
        #expect(outcome.output.contains("log/00000000000000000002.json"))
    }

    @Test("stats reports correct counts")
    func stats() throws {
        let sandbox = try Sandbox.withRepository()
        try sandbox.write("m", String(repeating: "text ", count: 10_000))
        _ = try sandbox.ftictl("put", "models/a", "m")
        let stats = try sandbox.ftictl("stats", "--json").object()
        #expect(stats["objects"] as? Int == 3)
        #expect(stats["packs"] as? Int == 1)
        #expect(stats["transactions"] as? Int == 2)
        let raw = try #require(stats["rawBytes"] as? Int)
        #expect(raw > 50_000)
        #expect(stats["storedBytes"] as? Int ?? .max < raw)
    }
}
