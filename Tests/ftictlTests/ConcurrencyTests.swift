import Foundation
import TestSupport
import Testing

@Suite("Many processes")
struct ConcurrencyTests {
    /// Transactions of each process.
    private static let transactions =
        ProcessInfo.processInfo.environment["FTI_TEST_TRANSACTIONS"].flatMap { Int($0) } ?? 200
    private static let processes = 8

    @Test("eight concurrent writers lose nothing")
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
                        # Every fourth has all the time it wants; half of the others has too little.
                        if [ $((i % 4)) = 1 ]; then limit=100000000; else
                            limit=$((RANDOM * 2 * took / 32768 + 1000))
                        fi
                        start=${EPOCHREALTIME/./}
                        timeout -s KILL $((limit / 1000000)).$(printf %06d $((limit % 1000000))) \
                            "$FTICTL" put models/writer-\(process) file-\(process) -m "$i" --quiet
                        status=$?
                        [ $((i % 4)) = 1 ] && took=$((${EPOCHREALTIME/./} - start))
                        case $status in
                            0) echo $i >> told-\(process) ;;
                            137) echo $i >> killed-\(process) ;;
                            *) exit $status ;;
                        esac
                    done
                    """,
                ])
        }
        for process in running {
            let outcome = try process.finish()
            #expect(outcome.status == 0, "\(outcome.error)")
        }
        var killedCount = 0
        for process in 1...Self.processes {
            let log = try sandbox.ftictl("log", "models/writer-\(process)", "--json").objects()
            let numbers = log.compactMap { ($0["message"] as? String).flatMap { Int($0) } }
            #expect(numbers == Set(numbers).sorted(by: >))
            func numbered(_ name: String) throws -> [Int] {
                try sandbox.read("\(name)-\(process)").split(separator: "\n").compactMap { Int($0) }
            }
            let told = try numbered("told")
            let killed = try numbered("killed")
            #expect(told.count >= 10 && told.count + killed.count == 40)
            #expect(Set(told).isSubset(of: numbers))
            // One that was killed may have committed already.
            #expect(Set(numbers).isSubset(of: told + killed))
            killedCount += killed.count
        }
        #expect(killedCount >= 4 * Self.processes)
        let verified = try sandbox.ftictl("verify", "--full")
        #expect(verified.status == 0, "\(verified.output)")
        try sandbox.write("file", "after")
        #expect(try sandbox.ftictl("put", "models/after", "file").status == 0)
    }

    @Test("each concurrent writer of one ref succeeds or gets a conflict")
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
