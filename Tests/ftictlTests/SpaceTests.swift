import Foundation
import TestSupport
import Testing

@Suite("Collections")
struct SpaceTests {
    /// A repository with a ref that had three values; nothing needs the first two.
    private func sandbox() throws -> Sandbox {
        let sandbox = try Sandbox.withRepository()
        for number in 1...3 {
            let outcome = try sandbox.shell(
                "seq \(number)000 \(number)900 > f && $FTICTL put models/a f -m 'number \(number)'")
            #expect(outcome.status == 0, "\(outcome.error)")
        }
        return sandbox
    }

    private func id(_ revision: String, _ sandbox: Sandbox) throws -> String {
        try #require(try sandbox.ftictl("resolve", revision).lines.first)
    }

    @Test("unreferenced data is removed, the log records it, and undo restores it")
    func collect() throws {
        let sandbox = try sandbox()
        let old = try id("models/a@{2}", sandbox)
        // The standard retention keeps everything.
        #expect(try sandbox.ftictl("gc").output.contains("nothing to collect"))
        let plan = try sandbox.ftictl("gc", "--dry-run", "--keep", "0s", "--keep-last", "1")
        #expect(plan.output.contains("kept for models/a"))
        #expect(plan.output.contains("2 packs"))
        let done = try sandbox.ftictl("gc", "--keep", "0s", "--keep-last", "1", "--json").object()
        #expect((done["removed"] as? [Any])?.count == 2)
        #expect((done["waiting"] as? [Any])?.count == 2)
        #expect(done["transaction"] as? Int == 4)
        #expect(try sandbox.ftictl("cat", old).status == 2)
        #expect(try sandbox.ftictl("log", "models/a").output.contains("collected"))
        #expect(try sandbox.ftictl("verify", "--full").status == 0)
        #expect(try sandbox.ftictl("rollback", "models/a").status == 2)
        #expect(try sandbox.ftictl("stats", "--json").object()["removedPacks"] as? Int == 2)
        let undone = try sandbox.ftictl("undo", "4")
        #expect(undone.status == 0, "\(undone.error)")
        #expect(try sandbox.ftictl("cat", old).status == 0)
        #expect(try sandbox.ftictl("rollback", "models/a", "--to", old).status == 0)
        #expect(try sandbox.ftictl("verify", "--full").status == 0)
        _ = try sandbox.ftictl("gc", "--keep", "0s", "--keep-last", "1", "--grace", "0s")
        #expect(try sandbox.ftictl("verify", "--full").status == 0)
        #expect(try sandbox.ftictl("stats", "--json").object()["removedPacks"] as? Int == 0)
        let late = try sandbox.ftictl("undo", "4")
        #expect(late.status == 2)
        #expect(late.error.contains("too late"))
    }

    @Test("a pin keeps what it names until it is released")
    func pin() throws {
        let sandbox = try sandbox()
        let old = try id("models/a@{2}", sandbox)
        #expect(try sandbox.ftictl("pin", old, "-o", "old.lock").status == 0)
        // Pinning again takes over the lease of the file that is replaced.
        #expect(try sandbox.ftictl("pin", "models/a@{2}", "-o", "old.lock").status == 0)
        let leases = sandbox.directory.appending(path: ".fti/leases").path
        #expect(try FileManager.default.contentsOfDirectory(atPath: leases).count == 1)
        let collect = ["gc", "--keep", "0s", "--keep-last", "1", "--grace", "0s", "--json"]
        let report = try sandbox.ftictl(collect).object()
        #expect((report["removed"] as? [Any])?.count == 1)
        #expect(try sandbox.ftictl("get", old, "-o", "out").status == 0)
        #expect(try sandbox.ftictl("pin", "--release", "old.lock").status == 0)
        _ = try sandbox.ftictl(collect)
        #expect(try sandbox.ftictl("get", old, "-o", "again").status == 2)
        #expect(try sandbox.ftictl("pin", "--check", "old.lock").status == 1)
    }

    @Test("writers and readers work while a collector removes everything it can")
    func everybody() throws {
        let sandbox = try sandbox()
        let writers = try (1...3).map { writer in
            try sandbox.start(
                "/bin/bash",
                [
                    "-c",
                    """
                    set -e
                    for i in $(seq 25); do
                        mkdir -p w\(writer); rm -f w\(writer)/*
                        for n in 1 2 3; do seq $((i * n % 7)) 300 > w\(writer)/f$n; done
                        "$FTICTL" put models/w\(writer) w\(writer) --quiet
                    done
                    touch done-\(writer)
                    """,
                ])
        }
        let readers = try (1...2).map { reader in
            try sandbox.start(
                "/bin/bash",
                [
                    "-c",
                    """
                    set -e
                    until [ -e done-\(reader) ]; do
                        "$FTICTL" cat models/a:f > /dev/null
                        rm -rf r\(reader)
                        "$FTICTL" get models/a -o r\(reader) --quiet
                        echo read
                    done
                    """,
                ])
        }
        let collector = try sandbox.start(
            "/bin/bash",
            [
                "-c",
                """
                set -e
                until [ -e done-1 ] && [ -e done-2 ] && [ -e done-3 ]; do
                    "$FTICTL" gc --keep 0s --keep-last 1 --grace 0s --json
                done
                """,
            ])
        for process in writers {
            let outcome = try process.finish()
            #expect(outcome.status == 0, "\(outcome.error)")
        }
        for process in readers {
            let outcome = try process.finish()
            #expect(outcome.status == 0, "\(outcome.error)")
            #expect(outcome.lines.count > 1)
        }
        let collected = try collector.finish()
        #expect(collected.status == 0, "\(collected.error)")
        let collections = try collected.objects().filter {
            ($0["removed"] as? [Any])?.isEmpty == false
        }
        #expect(collections.count > 1, "collections beside the writers that removed packs")
        let verified = try sandbox.ftictl("verify", "--full")
        #expect(verified.status == 0, "\(verified.output)")
    }
}
