import Foundation
import TestSupport
import Testing

@Suite("The example of the library")
struct LibraryExampleTests {
    @Test("the example does what the README does without the command line")
    func story() throws {
        let sandbox = try Sandbox()
        let program = Project.executable("library-example")
        let handbook = Project.path("Examples/handbook")
        let outcome = try sandbox.run(program, ["library.fti", handbook])
        #expect(outcome.status == 0, "\(outcome.error)")
        #expect(outcome.output.contains("3.0 °C") && outcome.output.contains("4.0 °C"))
        #expect(outcome.output.hasSuffix("rolled back: the first answer again\n"))
    }
}
