import Foundation
import TestSupport
import Testing

@Suite("The page of the inference service")
struct PageTests {
    /// `make test-page` tests it in a browser.
    @Test("routes, escaping, forms, tokens and feedback, without a browser")
    func routes() throws {
        let outcome = try ChildProcess(
            "/usr/bin/env",
            [
                "python3", "-B", Project.path("Tests/Page/routes.py"), Project.executables.path,
            ]
        ).finish()
        #expect(outcome.status == 0, "\(outcome.output)\(outcome.error)")
    }
}
