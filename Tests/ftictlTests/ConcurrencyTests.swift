import Foundation
import TestSupport
import Testing

@Suite("Many processes")
struct ConcurrencyTests {
    /// Transactions of each process.
    private static let transactions =
        ProcessInfo.processInfo.environment["FTI_TEST_TRANSACTIONS"].flatMap { Int($0) } ?? 200
    private static let processes = 8

    @Test("eight processes that write at once lose nothing")
    func separateRefs() throws {
        let sandbox = try Sandbox.withRepository()
        let running = try (1...Self.processes).map { process in
            try sandbox.start(
                "/bin/bash",
                [
                    "-c",
                    """
                    set -e
                    for i in $(seq \(Self.transactions)); do
                        echo "\(process) $i" > file-\(process)
                        "$FTICTL" put models/writer-\(process) file-\(process) -m "$i" --quiet
                    done
                    """,
                ])
        }
        for process in running {
            let outcome = try process.finish()
            #expect(outcome.status == 0, "\(outcome.error)")
        }
        let stats = try sandbox.ftictl("stats", "--json").object()
        // Merges of small packs are transactions as well.
        let puts = Self.processes * Self.transactions
        #expect(try #require(stats["transactions"] as? Int) > puts)
        #expect(try #require(stats["packs"] as? Int) < 32 + puts / 16)
        for process in 1...Self.processes {
            let log = try sandbox.ftictl("log", "models/writer-\(process)", "--json").objects()
            #expect(
                log.map { $0["message"] as? String }
                    == (1...Self.transactions).reversed().map { String($0) })
        }
        let verified = try sandbox.ftictl("verify", "--full")
        #expect(verified.status == 0, "\(verified.output)")
    }

    @Test(
        "writers that are killed at any moment, merging small packs or not, leave nothing to repair"
    )
    func killed() throws {
        let sandbox = try Sandbox.withRepository()
        let running = try (1...Self.processes).map { process in
            try sandbox.start(
                "/bin/bash",
                [
                    "-c",
                    """
                    RANDOM=\(process)
                    for i in $(seq 40); do
                        echo "\(process) $i" > file-\(process)
                        limit=0.$((RANDOM % 900 + 100))
                        [ $((i % 4)) = 0 ] && limit=100
                        timeout -s KILL $limit "$FTICTL" put models/writer-\(process) \
                            file-\(process) -m "$i" --quiet && echo $i >> told-\(process)
                    done
                    true
                    """,
                ])
        }
        for process in running { _ = try process.finish() }
        for process in 1...Self.processes {
            let log = try sandbox.ftictl("log", "models/writer-\(process)", "--json").objects()
            let numbers = log.compactMap { ($0["message"] as? String).flatMap { Int($0) } }
            #expect(numbers == Set(numbers).sorted(by: >))
            let told = try String(contentsOfFile: sandbox.path("told-\(process)"), encoding: .utf8)
                .split(separator: "\n").compactMap { Int($0) }
            #expect(told.count >= 10)
            #expect(Set(told).isSubset(of: numbers))
        }
        let verified = try sandbox.ftictl("verify", "--full")
        #expect(verified.status == 0, "\(verified.output)")
        try sandbox.write("file", "after")
        #expect(try sandbox.ftictl("put", "models/after", "file").status == 0)
    }

    @Test("of writers of one ref each either succeeds or is told of the conflict")
    func oneRef() throws {
        let sandbox = try Sandbox.withRepository()
        let running = try (1...4).map { process in
            try sandbox.start(
                "/bin/bash",
                [
                    "-c",
                    """
                    for i in 1 2 3 4 5; do
                        echo "\(process) $i" > file-\(process)
                        until "$FTICTL" put models/shared file-\(process) -m "\(process) $i"; do
                            [ $? = 3 ] || exit 1
                        done
                    done
                    """,
                ])
        }
        for process in running {
            let outcome = try process.finish()
            #expect(outcome.status == 0, "\(outcome.error)")
        }
        let log = try sandbox.ftictl("log", "models/shared", "--json").objects()
        #expect(Set(log.compactMap { $0["message"] as? String }).count == 20)
        #expect(log.count == 20)
        for (newer, older) in zip(log, log.dropFirst()) {
            #expect(newer["previous"] as? String == older["id"] as? String)
        }
    }
}
