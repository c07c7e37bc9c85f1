import Foundation
import TestSupport
import Testing

@Suite("Broken parts do not hide the rest")
struct BrokenFilesTests {
    /// A repository with a damaged pack, so that there is something else to find.
    private func damaged(_ command: String) throws -> Sandbox {
        let sandbox = try Sandbox.withRepository()
        try sandbox.write("m", Data((0..<9000).map { _ in UInt8.random(in: 0...255) }))
        _ = try sandbox.ftictl("put", "models/a", "m")
        try sandbox.write("n", "n")
        _ = try sandbox.ftictl("put", "models/b", "n")
        _ = try sandbox.ftictl("pin", "models/b", "-o", "b.lock")
        let done = try sandbox.shell(
            """
            cp -r .fti copy.fti; cd .fti; chmod -R u+w .; P=$(ls -S packs | head -n 1)
            printf DAMAGE | dd of=packs/$P bs=1 seek=300 conv=notrunc; L=leases/\(
                String(repeating: "0", count: 32)).json
            \(command)
            """)
        #expect(done.status == 0, "\(done.error)")
        return sandbox
    }

    static let strange: [(command: String, place: String)] = [
        ("mkdir $L", "leases/"), ("ln -s /etc/passwd $L", "leases/"), ("mkfifo $L", "leases/"),
        ("echo x > $L", "leases/"), ("rm -r leases; ln -s /tmp leases", "leases"),
        ("rm -r leases; mkfifo leases", "leases"),
        ("rm -f log/reserve; ln -s /etc/passwd log/reserve", "log/reserve"),
        ("rm -f log/reserve; mkfifo log/reserve", "log/reserve"),
        ("rm -f log/reserve; mkdir log/reserve", "log/reserve"),
        ("rm -f log/tip; mkdir log/tip", "log/tip"), ("rm -f log/tip; mkfifo log/tip", "log/tip"),
        ("rm -f log/tip; ln -s /etc/passwd log/tip", "log/tip"),
        ("rmdir log/checkpoints; ln -s /tmp log/checkpoints", "log/checkpoints"),
        ("rmdir log/checkpoints; mkfifo log/checkpoints", "log/checkpoints"),
        (
            "mkfifo log/checkpoints/00000000000000000001-\(String(repeating: "0", count: 64)).json",
            "log/checkpoints/"
        ),
        ("Q=$(ls -Sr packs | head -n 1); rm -f packs/$Q; mkdir packs/$Q", "packs/"),
        ("Q=$(ls -Sr packs | head -n 1); rm -f packs/$Q; mkfifo packs/$Q", "packs/"),
    ]

    @Test("verify lists strange files and all other damage", arguments: strange)
    func verify(command: String, place: String) throws {
        let sandbox = try damaged(command)
        for arguments in [["verify", "--full", "--json"], ["verify", "--repair", "--json"]] {
            let outcome = try sandbox.ftictl(arguments)
            #expect(outcome.status == 1, "\(arguments) \(outcome.error)")
            let findings = try #require(
                try outcome.object()["findings"] as? [[String: Any]])
            let affected = findings.flatMap { $0["affects"] as? [String] ?? [] }
            #expect(affected.contains { $0.hasPrefix("models/a") }, "\(outcome.output)")
            guard arguments[1] == "--full" else { continue }
            #expect(
                findings.contains { ($0["where"] as? String)?.hasPrefix(place) == true },
                "\(outcome.output)")
        }
        // The copy has the damaged objects; its other contents do not matter.
        let repaired = try sandbox.ftictl(
            "verify", "--repair", "--from", "copy.fti", "--json")
        #expect([0, 1].contains(repaired.status), "\(repaired.error)")
        #expect(try sandbox.ftictl("cat", "models/a:m").status == 0)
        #expect(try sandbox.ftictl("put", "models/c", "m").status == 0)
    }

    @Test("refs lists unreadable refs with the reason, and exits with 5")
    func refs() throws {
        let sandbox = try damaged("Q=$(ls -Sr packs | head -n 1); rm -f packs/$Q")
        let outcome = try sandbox.ftictl("refs", "--json")
        #expect(outcome.status == 5)
        let refs = try outcome.objects()
        #expect(refs.map { $0["name"] as? String } == ["models/a", "models/b"])
        #expect(refs[1]["broken"] is String)
        #expect(try sandbox.ftictl("refs").output.contains("models/a"))
        #expect(try sandbox.ftictl("refs").error.contains("ftictl verify"))
    }

    @Test("a dangling ref hides no other")
    func dangling() throws {
        let sandbox = try Sandbox.withRepository()
        for name in ["a", "b", "c"] {
            try sandbox.write("f", name)
            _ = try sandbox.ftictl("put", "models/\(name)", "f")
        }
        // An entry removes a live pack from the log.
        let edited = try sandbox.shell(
            """
            cd .fti; rm -f log/tip; P=$(ls packs | head -n 1); E=log/00000000000000000003.json
            H=$(head -n 1 $E | tr -d '\\n' | sha256sum | cut -c 1-64)
            T=$(grep -o '"time":"[^"]*"' $E | head -n 1 | cut -d '"' -f 4)
            F='{"actions":[{"name":"%s","type":"unpack"}],"base":3,"message":"","n":4,"nonce":"%s",'
            F=$F'"prev":"%s","requires":[],"time":"%s","writer":"x"}'
            L=$(printf "$F" $P 00000000000000000000000000000000 $H $T)
            S=$(printf %s "$L" | sha256sum | cut -c 1-64)
            printf '%s\\n{"sha256":"%s"}\\n' "$L" $S > log/00000000000000000004.json
            """)
        #expect(edited.status == 0)
        let outcome = try sandbox.ftictl("refs", "--json")
        #expect(outcome.status == 5, "\(outcome.error)")
        let refs = try outcome.objects()
        #expect(refs.count == 3)
        #expect(refs.count { $0["broken"] is String } == 1)
        let verified = try sandbox.ftictl("verify", "--json")
        #expect(verified.status == 1)
    }
}
