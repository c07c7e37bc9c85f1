internal import Artifacts
internal import Objects

extension FuzzTarget {
    /// Records of answers and lines of feedback. The first byte of the input selects the decoder.
    ///
    /// Any bytes are read or refused, and what was read is written and read again without change.
    static let records = FuzzTarget(
        "records",
        words: [
            "\"type\":\"feedback\"", "\"type\":\"answer\"", "\"version\":1", "\"id\":\"fb-",
            "\"answerId\":\"ans-", "\"rating\":\"good\"", "\"better\":", "\"answer\":{",
            "\"passages\":[{", "\"prompt\":{", "\"messages\":[{\"role\":\"user\",\"content\":\"",
            "\"generator\":{\"kind\":\"openai\"", "\"retrieval\":{", "\"citations\":{\"shown\":[",
            "null", "1e20", "0.0", "9007199254740993", "\\ud800",
        ]
    ) { _ in
        let feedback =
            #"{"type":"feedback","version":1,"id":"fb-\#(digits)","time":"2026-08-01T09:30:00.000Z","#
            + #""answerId":"ans-\#(digits)","answer":\#(answer),"rating":"bad","better":"b","#
            + #""passage":"a#s/00","comment":null,"from":"web"}"#
        return [Array("f\(feedback)".utf8), Array("a\(answer)".utf8), Array("f{}".utf8)]
    } run: { input throws(FuzzFinding) in
        guard input.count > 0 else { return }
        let bytes = Array(input.extracting(1..<input.count))
        if input[0] & 1 == 1 {
            guard let answer = try? AnswerRecord(parsing: bytes) else { return }
            let again = try? AnswerRecord(parsing: JSON.object(answer.json).canonicalBytes)
            try FuzzFinding.unless(again == answer, "a record changes when it is written")
        } else {
            guard let feedback = try? Feedback(parsing: bytes) else { return }
            let line = feedback.line
            try FuzzFinding.unless(!line.contains(0x0A), "feedback is not one line")
            let again = try? Feedback(parsing: line)
            try FuzzFinding.unless(again == feedback, "feedback changes when it is written")
        }
    }

    private static let digits = String(repeating: "0123456789abcdef", count: 2)

    private static let answer =
        #"{"type":"answer","version":1,"id":"ans-\#(digits)","replica":"a","#
        + #""time":"2026-08-01T09:30:00.000Z","question":"q?","asked":"Q?","#
        + #""conversation":[{"role":"user","content":"c"}],"answered":true,"answer":"A [1]","#
        + #""verified":false,"citations":{"shown":[1],"removed":0},"passages":[{"number":1,"#
        + #""key":"a#s/00","document":"a","title":"A","section":"s","headings":["A"],"url":"u","#
        + #""text":"t","score":1.5,"similarity":0.5,"vectorRank":1,"wordsRank":null,"#
        + #""attributes":{"ordinal":0}}],"prompt":{"id":"\#(digits)\#(digits)","#
        + #""messages":[{"role":"system","content":"s"}]},"generator":{"kind":"openai","#
        + #""model":"m","snapshot":null,"ending":"stop","promptTokens":1,"replyTokens":null},"#
        + #""release":null,"features":"\#(digits)\#(digits)","ranker":null,"space":null,"#
        + #""transaction":1,"repository":"\#(digits)","where":null,"#
        + #""retrieval":{"mode":"hybrid","candidates":9,"k":3,"perDocument":0}}"#
}
