import Foundation
import TestSupport
import Testing

@Suite("Repairing")
struct RepairTests {
    /// A repository of several packs, its copy `copy.fti`, and what `models/a` and `features/a` hold.
    private static func damaged(_ damage: String) throws -> Sandbox {
        let sandbox = try Sandbox.withRepository()
        var noise: UInt64 = 20_261
        let big = (0..<200_000).map { _ in
            noise = noise &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: noise >> 33)
        }
        try sandbox.write("m/big", Data(big))
        try sandbox.write("m/small", "x")
        _ = try sandbox.ftictl("put", "models/a", "m")
        try sandbox.write("rows.jsonl", "{\"id\":\"1\",\"t\":\"a\"}\n{\"id\":\"2\",\"t\":\"b\"}\n")
        _ = try sandbox.ftictl("put", "features/a", "rows.jsonl", "--key", "id")
        try sandbox.write("m/small", "y")
        _ = try sandbox.ftictl("put", "models/a", "m")
        _ = try sandbox.ftictl("promote", "models/a", "models/b")
        #expect(
            try sandbox.shell(
                """
                cp -r .fti copy.fti; chmod -R u+w .fti copy.fti; cd .fti
                P=packs/$(ls -S packs | head -n 1); \(damage)
                """
            ).status == 0)
        return sandbox
    }

    private static func expectWhole(_ sandbox: Sandbox) throws {
        let verified = try sandbox.ftictl("verify", "--full", "--json")
        #expect(verified.status == 0, "\(verified.output)")
        #expect(try sandbox.ftictl("get", "models/a", "-o", "out").status == 0)
        #expect(try sandbox.shell("diff -r m out").status == 0)
        #expect(try sandbox.ftictl("ls", "features/a").status == 0)
        #expect(try sandbox.ftictl("put", "models/c", "m").status == 0)
    }

    @Test(
        "damaged data is restored from a copy",
        arguments: [
            "printf XXXX | dd of=$P bs=1 seek=5000 conv=notrunc",
            "printf XXXX | dd of=$P bs=1 seek=3 conv=notrunc",
            "truncate -s 3000 $P", "rm $P", "rm packs/*", "rm $P; mkdir $P",
            "printf XXXX | dd of=$P bs=1 seek=$(($(stat -c %s $P) - 100)) conv=notrunc",
            "rm log/00000000000000000002.json", "rm log/00000000000000000004.json",
            ": > log/00000000000000000000.json",
            "sed -i s/models.a/models.z/ log/00000000000000000003.json",
            "echo garbage > log/tip", "rm packs/* log/*1.json log/tip",
        ])
    func restored(damage: String) throws {
        let sandbox = try Self.damaged(damage)
        let isBlocked = damage.hasPrefix("rm $P; mkdir")
        let outcome = try sandbox.ftictl("verify", "--repair", "--from", "copy.fti", "--json")
        // Repair removes files only, so the directory stays.
        if isBlocked { return #expect([1, 74].contains(outcome.status)) }
        #expect(outcome.status == 0, "\(outcome.output)\(outcome.error)")
        #expect((try outcome.object()["repaired"] as? [Any])?.isEmpty == false)
        try Self.expectWhole(sandbox)
    }

    @Test("a copy with differently packed objects is as good")
    func otherPacking() throws {
        let sandbox = try Self.damaged("rm $P")
        _ = try sandbox.shell(
            """
            rm -rf copy.fti; mkdir other; cp -r m other/m; echo more > other/more
            $FTICTL init copy.fti; $FTICTL --repo copy.fti put models/x other
            """)
        let outcome = try sandbox.ftictl("verify", "--repair", "--from", "copy.fti", "--json")
        // The copy has never had the snapshots themselves.
        #expect(outcome.status == 1)
        #expect((try outcome.object()["repaired"] as? [Any])?.isEmpty == false)
        let other = try Self.damaged("rm $P")
        _ = try other.shell(
            """
            cp -r copy.fti second.fti; cd copy.fti; echo > log/tip; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17; do
            echo $i > n; $FTICTL --repo . put models/n n; done
            """)
        let merged = try other.ftictl("verify", "--repair", "--from", "copy.fti", "--json")
        #expect(merged.status == 0, "\(merged.output)\(merged.error)")
        try Self.expectWhole(other)
    }

    @Test("two damaged copies make one sound repository")
    func twoHalves() throws {
        let sandbox = try Self.damaged("printf XXXX | dd of=$P bs=1 seek=5000 conv=notrunc")
        _ = try sandbox.shell(
            """
            cd copy.fti; P=packs/$(ls -S packs | head -n 1)
            printf XXXX | dd of=$P bs=1 seek=150000 conv=notrunc
            """)
        #expect(
            try sandbox.ftictl("verify", "--repair", "--from", "copy.fti").status == 0)
        try Self.expectWhole(sandbox)
    }

    @Test("without a copy only derived data is rebuilt, and the rest is listed")
    func alone() throws {
        let sandbox = try Self.damaged("echo garbage > log/tip; rm $P")
        let outcome = try sandbox.ftictl("verify", "--repair", "--json")
        #expect(outcome.status == 1)
        #expect((try outcome.object()["repaired"] as? [String])?.count == 1)
        let findings = try #require(try outcome.object()["findings"] as? [[String: Any]])
        #expect(!findings.isEmpty)
        #expect(findings.allSatisfy { ($0["repair"] as? String)?.contains("--from") == true })
    }

    @Test("another repository's log is never taken for a copy's")
    func stranger() throws {
        let sandbox = try Self.damaged("rm log/00000000000000000002.json")
        _ = try sandbox.shell(
            """
            rm -rf copy.fti; $FTICTL init copy.fti
            for i in 1 2 3 4 5; do echo $i > n; $FTICTL --repo copy.fti put models/a n; done
            """)
        #expect(
            try sandbox.ftictl("verify", "--repair", "--from", "copy.fti").status == 1)
        #expect(try sandbox.ftictl("verify", "--from", "copy.fti").status == 64)
    }
}
