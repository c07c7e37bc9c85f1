import Testing
import TextAnalysis

@Suite struct SentenceTests {
    @Test(
        "a line is split where sentences end, in any script",
        arguments: [
            ("One.  Two! Three? four", ["One.", "Two!", "Three? four"]),
            ("See e.g. this. Dr. Who came.", ["See e.g. this.", "Dr. Who came."]),
            ("Version 15.20 fixes it. The end", ["Version 15.20 fixes it.", "The end"]),
            ("1. First item. Second", ["1. First item.", "Second"]),
            ("图书馆九点开门。停车场收费三元。", ["图书馆九点开门。", "停车场收费三元。"]),
            ("「はい。」と言った。次。", ["「はい。」と言った。", "次。"]),
            ("पुस्तकालय नौ बजे खुलता है। टिकट", ["पुस्तकालय नौ बजे खुलता है।", "टिकट"]),
            ("", []), ("  ", []),
        ])
    func split(line: String, sentences: [String]) {
        #expect(Sentences.split(line) == sentences)
    }
}
