import Artifacts
import TestSupport
import TextAnalysis
import Testing

@testable import TrainingPipeline

@Suite("Replies of a model that makes examples")
struct ReplyExampleTests {
    private static let one = #"{"question":"Which drill?","answer":"6 mm","worse":"9 mm"}"#

    private func questions(_ reply: String) -> [String] {
        ReplyExamples(reply).examples.map(\.question)
    }

    @Test(
        "examples are found in code fences, between words, one a line, and in a reply that was cut",
        arguments: [
            "{\"examples\":[\(one)]}", "[\(one)]", one, "```json\n[\(one)]\n```",
            "Sure! Here is {what} you asked for:\n\(one)\nHope that helps {:-)}",
            "{\"examples\": [\(one), {\"question\": \"Cut",
            "{\"data\":{\"x\":1}}\n\(one)",
            #"{"q":" Which drill? ","response":"","a":"6 mm","rejected":"9 mm"}"#,
        ])
    func forms(reply: String) {
        let read = ReplyExamples(reply)
        #expect(
            read.examples == [.init(question: "Which drill?", answer: "6 mm", worse: "9 mm")])
    }

    @Test("several lines give several examples, in order; brackets in texts do not count")
    func lines() {
        let lines = (1...5).map { #"{"question":"Q\#($0) } ] [","answer":"\"{\#($0)"}"# }
        let read = ReplyExamples(lines.joined(separator: "\n"))
        #expect(read.examples.map(\.answer) == (1...5).map { "\"{\($0)" })
        #expect(read.examples.allSatisfy { $0.worse == nil })
    }

    @Test("hostile replies give nothing, in bounded time")
    func hostile() {
        for reply in [
            "", "no", String(repeating: "[", count: 300_000),
            String(repeating: "{\"", count: 100_000),
            String(repeating: "{\"a\":", count: 50_000) + "1"
                + String(repeating: "}", count: 50_000),
            "\u{0}\u{FFFD}{]}", "{\"question\":[1],\"answer\":{}}", "{\"question\":\"a\"}",
            "[1,2,[3]]",
            "[[[[[[{\"question\":\"deep\",\"answer\":\"x\"}]]]]]]",
        ] {
            #expect(questions(reply).isEmpty, "\(reply.prefix(40))")
        }
        #expect(ReplyExamples("[1]").hasJSON && !ReplyExamples("[1").hasJSON)
    }

    private static let text = """
        The controller opens the frost valve when the outdoor sensor reports two degrees. Drill holes of six
        millimetres for the bracket and keep the template.
        """

    private func faults(_ examples: String...) -> [ExampleFault: Int] {
        var filter = ExampleFilter(.english)
        filter.exclude("When is the label already known to everyone here?")
        for example in examples { _ = filter.examples(in: example, about: Self.text) }
        return filter.counts
    }

    private func example(_ question: String, _ answer: String, _ worse: String = "Never.") -> String
    {
        #"{"question":"\#(question)","answer":"\#(answer)","worse":"\#(worse)"}"#
    }

    @Test("each fault is counted once, by its reason")
    func filters() {
        let good = "Drill holes of six millimetres."
        #expect(faults(example("What size should the holes be?", good)).isEmpty)
        let cases: [(ExampleFault, String)] = [
            (.notJSON, "Holes are drilled."), (.refusal, "I’m sorry, I can't do that."),
            (.malformed, #"{"question":"What?"}"#), (.malformed, "[1]"),
            (.noWords, example("???", good)), (.noWords, example("What size are they?", "...")),
            (.tooShort, example("Which size?", good)),
            (.tooLong, example(String(repeating: "which ", count: 61), good)),
            (.tooLong, example("What size are they?", String(repeating: "drill ", count: 401))),
            (
                .refusal,
                example("What colour are they?", "The text does not say the colour of holes.")
            ),
            (
                .quotesAnswer,
                example("Why drill holes of SIX millimetres here?", "six  millimetres")
            ),
            (
                .notGrounded,
                example("Who wrote the handbook first?", "Shakespeare wrote sonnets in London")
            ),
            (.duplicate, example("when is the LABEL already known to everyone here?", good)),
            (
                .nearDuplicate,
                example("When is the label already known to everyone here now?", good)
            ),
            (.noWorse, example("What size should the holes be?", good, "")),
            (
                .sameWorse,
                example("What size should the holes be?", good, "drill holes of SIX millimetres.")
            ),
        ]
        for (fault, reply) in cases {
            #expect(faults(reply) == [fault: 1], "\(fault): \(reply)")
        }
        let reply = example("What size should the holes be?", good)
        #expect(faults(reply, reply) == [.duplicate: 1])
    }
}
