import Foundation
import TestSupport
import Testing

@Suite("Few descriptors, small files")
struct LimitTests {
    static let commands = [
        "refs", "verify --full", "put models/x m", "put features/x rows.jsonl --key id",
        "get models/a -o out", "gc --dry-run", "gc --purge --keep 0s --keep-last 1 --grace 0s",
        "ls models/a", "cat models/a:big", "diff models/a~1 models/a", "log models/a", "stats",
        "pin models/a -o a.lock", "init other.fti", "undo", "rollback models/a",
    ]

    private func sandbox() throws -> Sandbox {
        let sandbox = try Sandbox.withRepository()
        for number in 0..<3 {
            try sandbox.write("m/big", Data((0..<300_000).map { _ in UInt8.random(in: 0...255) }))
            try sandbox.write("m/small", "\(number)")
            _ = try sandbox.ftictl("put", "models/a", "m")
        }
        try sandbox.write("rows.jsonl", "{\"id\":\"1\"}\n")
        return sandbox
    }

    @Test("no command crashes when descriptors run out", arguments: [6, 8, 10, 12])
    func descriptors(limit: Int) throws {
        for command in Self.commands {
            let sandbox = try sandbox()
            let outcome = try sandbox.shell(
                "( ulimit -n \(limit); exec $FTICTL \(command) > out.txt 2> err.txt )")
            let error = try sandbox.read("err.txt")
            #expect([0, 74].contains(outcome.status), "\(command): \(outcome.status) \(error)")
            #expect((outcome.status == 74) == error.contains("error: "), "\(command): \(error)")
            #expect(try sandbox.ftictl("verify", "--full").status == 0, "\(command)")
        }
    }

    @Test("exceeding the file size limit is an error, not a crash", arguments: [0, 1, 100])
    func fileSize(limit: Int) throws {
        for command in Self.commands {
            let sandbox = try sandbox()
            let outcome = try sandbox.shell(
                "mkfifo pipe; cat pipe > out.txt & ( ulimit -f \(limit); exec $FTICTL \(command) "
                    + "2>&1 > /dev/null ) > pipe; R=$?; wait; exit $R")
            #expect([0, 74].contains(outcome.status), "\(command): \(outcome.status)")
            #expect(try sandbox.ftictl("verify", "--full").status == 0, "\(command)")
        }
    }

    @Test("64 descriptors suffice for trees of the greatest depth")
    func depth() throws {
        let sandbox = try Sandbox.withRepository()
        let made = try sandbox.shell(
            """
            mkdir deep; cd deep; for i in $(seq 255); do mkdir d && cd d && echo $i > f; done
            """)
        #expect(made.status == 0)
        for command in [
            "put models/a deep", "put models/b deep/d", "get models/a -o out", "verify --full",
            "gc --dry-run", "ls models/a", "diff models/a models/b", "show models/a",
        ] {
            let outcome = try sandbox.shell("ulimit -n 64; exec $FTICTL \(command)")
            #expect(outcome.status == 0, "\(command): \(outcome.error)")
        }
        #expect(try sandbox.shell("diff -r deep out").status == 0)
    }
}
