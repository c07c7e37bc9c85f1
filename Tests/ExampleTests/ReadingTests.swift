import Foundation
import TestSupport
import Testing

/// Reading must not write: a repository may be on a read-only medium.
@Suite("Commands that read")
struct ReadingTests {
    private static let commands = [
        "refs", "log", "log models/current --graph", "reflog", "show models/current",
        "show models/current:ranker.safetensors", "show features/prod",
        "diff features/prod features/staging", "diff models/current models/candidate --rows --json",
        "ls models/current", "ls features/prod", "cat models/current:config.json",
        "cat datasets/sft:train.jsonl", "lineage models/current", "lineage features/prod --down",
        "resolve models/current^dataset", "stats", "verify", "verify --full",
        "get datasets/sft -o out",
    ]

    /// Permissions do not stop root: then only the listing shows that nothing was written.
    @Test("a read-only repository is readable, and reading changes nothing")
    func readOnly() throws {
        let bench = try Workbench()
        #expect(try bench.run("chmod -R a-w .fti-example").status == 0)
        defer { _ = try? bench.run("chmod -R u+w .fti-example") }
        let before = try Workbench.listing(of: bench.example)
        for command in Self.commands {
            let outcome = try bench.run("ftictl --repo .fti-example \(command)")
            #expect(outcome.status == 0, "\(command): \(outcome.error)")
            #expect(!outcome.output.isEmpty, "\(command)")
        }
        #expect(try Workbench.listing(of: bench.example) == before)
        // A pin leaves a lease where it can, and works without one where it cannot.
        let pin = try bench.run(
            "ftictl --repo .fti-example pin features/prod models/current -o fti.lock")
        #expect(pin.status == 0, "\(pin.error)")
        let pinned = try Workbench.listing(of: bench.example)
        #expect(try bench.run("ftictl --repo .fti-example pin --check fti.lock").status == 0)
        let answer = try bench.run(
            "fti-inference --repo .fti-example ask 'What size holes do I drill?' --pin fti.lock")
        #expect(answer.status == 0, "\(answer.error)")
        #expect(try Workbench.listing(of: bench.example) == pinned)
    }

    /// Git keeps no empty folders, so a clone of this project has none.
    @Test("missing empty folders prevent neither reading nor writing")
    func absentFolders() throws {
        let bench = try Workbench()
        let checkpoints = bench.example.appending(path: "log/checkpoints")
        try? FileManager.default.removeItem(at: checkpoints)
        for command in ["log models/current", "verify --full", "undo", "verify --full"] {
            let outcome = try bench.run("ftictl --repo .fti-example \(command)")
            #expect(outcome.status == 0, "\(command): \(outcome.error)")
        }
    }

    @Test("a log without its caches is readable")
    func absentCaches() throws {
        let bench = try Workbench()
        let before = try bench.run("ftictl --repo .fti-example refs --json").output
        #expect(
            try bench.run("rm -rf .fti-example/log/tip .fti-example/log/checkpoints").status == 0)
        #expect(try bench.run("ftictl --repo .fti-example refs --json").output == before)
        #expect(try bench.run("ftictl --repo .fti-example verify").status == 0)
    }
}
