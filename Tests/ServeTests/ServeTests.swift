import Foundation
import TestSupport
import Testing

/// Checks in Python, where the client of OpenAI is at home; `checks.py` runs them.
@Suite("The service answers the unmodified client of OpenAI")
struct ServeTests {
    /// The Python that has the client, which the first run installs from PyPI.
    private static let python = Result { () throws in
        let setup = try ChildProcess(Project.path("Tests/ServeTests/setup.sh"), []).finish()
        try #require(setup.status == 0, "\(setup.error)")
        return try #require(setup.lines.last)
    }

    @Test(
        "every check of a group holds",
        arguments: ["api", "faults", "limits", "versions", "rerank", "life"])
    func checks(group: String) throws {
        var environment = ProcessInfo.processInfo.environment
        environment["FTI_BIN"] = Project.executables.path
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
        let outcome = try ChildProcess(
            try Self.python.get(), [Project.path("Tests/ServeTests/checks.py"), group],
            environment: environment
        ).finish()
        #expect(outcome.status == 0, "\(outcome.error)")
        let checks = try outcome.objects()
        #expect(!checks.isEmpty)
        for check in checks {
            guard let error = check["error"] as? String else { continue }
            Issue.record("\(group): \(check["check"] ?? "")\n\(error)")
        }
    }
}
