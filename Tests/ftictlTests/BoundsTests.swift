import Foundation
import TestSupport
import Testing

@Suite("Bounded memory and time")
struct BoundsTests {
    private static let script = Project.path("Tests/bounds.py")

    @Test(
        "hostile inputs stay within the memory and time limits (B66, B67, B89 to B92, B106, B134, B145, B146, B148)",
        arguments: ["documents", "configurations", "files", "repositories", "questions"])
    func bounds(part: String) throws {
        let sandbox = try Sandbox()
        let outcome = try sandbox.shell(
            "python3 \(Self.script) \(Project.executables.path) --only \(part)")
        #expect(outcome.status == 0, "\(outcome.output)\(outcome.error)")
    }
}
