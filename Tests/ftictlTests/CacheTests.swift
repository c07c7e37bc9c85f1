import Foundation
import TestSupport
import Testing

@Suite("Storing unchanged files again")
struct CacheTests {
    /// Files that were not modified recently.
    private static let fixtures = Project.path("Tests/Fixtures")

    private static func caches(_ sandbox: Sandbox) -> [URL] {
        let folder = URL(filePath: sandbox.cache).appending(path: "fti")
        let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path)
        return (names ?? []).map { folder.appending(path: $0) }
    }

    @Test("unchanged files are recognised the next time, with and without the cache")
    func again() throws {
        let sandbox = try Sandbox.withRepository()
        let first = try sandbox.ftictl("put", "models/a", Self.fixtures, "--json").object()
        let cache = try #require(Self.caches(sandbox).first)
        let identity = try sandbox.shell("cat .fti/log/*0.json").output
        #expect(identity.contains(cache.deletingPathExtension().lastPathComponent))
        let stored = try Data(contentsOf: cache)
        func expectUnchanged(_ arguments: String...) throws {
            let put = try sandbox.ftictl(["put", "models/a", Self.fixtures, "--json"] + arguments)
            #expect(put.status == 0, "\(put.error)")
            #expect(try put.object()["unchanged"] as? Bool == true)
            #expect(try put.object()["id"] as? String == first["id"] as? String)
        }
        try expectUnchanged()
        #expect(try Data(contentsOf: cache) == stored)
        try expectUnchanged("--no-cache")
        // Under another ref, known files go into a snapshot without being read.
        #expect(try sandbox.ftictl("put", "models/b", Self.fixtures).status == 0)
        #expect(try sandbox.ftictl("verify", "--full").status == 0)
        for damage in [Data(), Data("nonsense".utf8), stored.dropLast()] {
            try damage.write(to: cache)
            try expectUnchanged()
            #expect(try Data(contentsOf: cache) == stored)
        }
    }

    @Test(
        "without a place for the cache, or with --no-cache, everything works and no cache is written"
    )
    func nowhere() throws {
        let sandbox = try Sandbox.withRepository()
        let put = ["put", "models/a", Self.fixtures]
        #expect(try sandbox.ftictl(put + ["--no-cache"]).status == 0)
        #expect(Self.caches(sandbox) == [])
        for home in ["", "relative", "/dev/null", "/nonexistent/home"] {
            let outcome = try sandbox.ftictl(
                "put", "models/a", Self.fixtures,
                environment: ["XDG_CACHE_HOME": home, "HOME": home])
            #expect(outcome.status == 0, "\(outcome.error)")
            #expect(outcome.error == "")
        }
        #expect(!FileManager.default.fileExists(atPath: "/nonexistent"))
        #expect(Self.caches(sandbox) == [])
    }

    @Test("concurrent processes share the cache and lose nothing")
    func concurrent() throws {
        let sandbox = try Sandbox.withRepository()
        for round in 0..<3 {
            let running = try (0..<4).map { number in
                try sandbox.start(
                    Sandbox.ftictl, ["put", "models/\(round)-\(number)", Self.fixtures])
            }
            for process in running { #expect(try process.finish().status == 0) }
        }
        #expect(Self.caches(sandbox).count == 1)
        #expect(try sandbox.ftictl("verify", "--full").status == 0)
        let put = try sandbox.ftictl("put", "models/0-0", Self.fixtures, "--json").object()
        #expect(put["unchanged"] as? Bool == true)
    }
}
