import Foundation
import TestSupport
import Testing

@Suite("The example of eight defects")
struct LLMTwinTests {
    /// What each act must say, in order.
    private static let acts: [(title: String, parts: [String])] = [
        (
            "1. Changes",
            ["1 changed, 1 removed", "[-Monday-]{+Friday+}", "rows of the deleted post: 0"]
        ),
        (
            "2. Shorter documents",
            ["chunks of the post before and after: 3, 2", "no chunk contains “1,312 redirects”"]
        ),
        (
            "3. The same paragraph twice",
            [
                "posts.jsonl/review-checklist#how-a-page-is-reviewed/00",
                "posts.jsonl/review-times#how-a-page-is-reviewed/00", "rows with this section: 2",
            ]
        ),
        ("4. Filters", ["unknown name autor", "known names: author", "[exit code 64]"]),
        (
            "5. Embedders",
            [
                "features/bert has rows in embedding space", "the embedding spaces differ",
                "the parts of the release do not fit", "[exit code 4]", "12 changed",
            ]
        ),
        (
            "6. Prompts",
            [
                "prompt of training and of serving: ", "and the release binds the prompt",
                "and the release binds no prompt", "[exit code 4]",
            ]
        ),
        (
            "7. Versions",
            [
                "[exit code 1]", "there is no object", "models/current was deleted",
                "there is no ref models/base", "[exit code 2]",
            ]
        ),
        (
            "8. Errors",
            [
                "1 skipped", "[exit code 64]", "[exit code 74]", "[exit code 70]",
                "newest transaction before and after: ", "All eight defects were refused.",
            ]
        ),
    ]

    @Test("every act ends with the refusal or the result that it is about")
    func acts() throws {
        let outcome = try Workbench().run(
            "Examples/llm-twin/run.sh --into twin --programs '\(Project.executables.path)'")
        #expect(outcome.status == 0, "\(outcome.output)\(outcome.error)")
        var rest = Substring(outcome.output)
        for (number, act) in Self.acts.enumerated() {
            let begin = try #require(rest.range(of: "\n\(act.title)\n"), "\(act.title)")
            rest = rest[begin.upperBound...]
            let next = Self.acts.dropFirst(number + 1).first
            let end = next.flatMap { rest.range(of: "\n\($0.title)\n")?.lowerBound }
            let text = rest[..<(end ?? rest.endIndex)]
            #expect(text.contains("Elsewhere: ") && text.contains("Here: "))
            for part in act.parts { #expect(text.contains(part), "\(act.title): \(part)\n\(text)") }
        }
    }
}
