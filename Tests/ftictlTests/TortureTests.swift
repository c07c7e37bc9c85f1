import Foundation
import TestSupport
import Testing

@Suite("Torture, in short")
struct TortureTests {
    @Test("a sample of kills, errors, lost writes, crowds and flipped bits violates nothing")
    func short() throws {
        let outcome = try ChildProcess(
            "/usr/bin/env",
            [
                "python3", Project.path("Benchmarks/torture/torture.py"), "--short", "--ftictl",
                Sandbox.ftictl,
            ]
        ).finish()
        // Where processes may not be traced, it fails and says what to do.
        #expect(outcome.status == 0, "\(outcome.output)\(outcome.error)")
        #expect(outcome.output.contains("torture: 0 violations"), "\(outcome.output)")
    }
}
