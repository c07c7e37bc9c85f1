import TestSupport
import Testing

@testable import Artifacts

@Suite("Citations")
struct CitationTests {
    private func filtered(
        _ text: String, shown: Int = 3, parts: [String]? = nil
    ) -> (text: String, citations: Citations) {
        var filter = CitationFilter(shown: shown)
        var result = ""
        for part in parts ?? [text] { result += filter.pass(part) }
        result += filter.finish()
        return (result, filter.citations)
    }

    @Test(
        "citations of what was shown stay, others are removed and counted",
        arguments: [
            ("At 3 °C [1].", "At 3 °C [1].", [1], 0), ("At 3 °C [9].", "At 3 °C.", [], 1),
            ("a [1, 3] b", "a [1, 3] b", [1, 3], 0), ("a [1][2] b", "a [1][2] b", [1, 2], 0),
            ("a [1, 9] b", "a [1] b", [1], 1), ("a [9, 3,8;1] b", "a [3, 1] b", [1, 3], 2),
            ("a [7][8] b", "a b", [], 2), ("a [7][2] b", "a [2] b", [2], 1),
            ("a [2][7] b", "a [2] b", [2], 1), ("a [7] [2] b", "a [2] b", [2], 1),
            ("[9] Yes.", "Yes.", [], 1), ("Yes.\n[9] No.", "Yes.\nNo.", [], 1),
            ("a[9]b", "ab", [], 1), ("a [9]b", "a b", [], 1), ("°C[2].", "°C[2].", [2], 0),
            ("温度[9]是", "温度是", [], 1), ("温度 [9]是", "温度 是", [], 1), ("[0]", "", [], 1),
            ("a [ 1 , 2 ] b", "a [ 1 , 2 ] b", [1, 2], 0), ("[003]", "[003]", [3], 0),
            ("a [1]", "a [1]", [1], 0), ("a [9]", "a", [], 1), ("[[1]]", "[[1]]", [1], 0),
            ("a [1]: b", "a [1]: b", [1], 0), ("[2] [1] [2]", "[2] [1] [2]", [1, 2], 0),
            ("a ` b [9] end [1]", "a ` b end [1]", [1], 1),
        ])
    func citations(text: String, expected: String, shown: [Int], removed: Int) {
        let (result, citations) = filtered(text)
        #expect(result == expected)
        #expect(citations == Citations(shown: shown, removed: removed))
    }

    @Test(
        "what is no citation stays",
        arguments: [
            "[x]", "[ ]", "[^9]", "[]", "[1", "a[", "[2026]", "[9](https://example.com)",
            "[see](u) b",
            "[text][9]", "a[0]", "f()[0]", "m[0][0]", "`a[9]`", "``b[9] ` [9]``",
            "```\nx = a[9]\n```\n", "~~~\n[9]\n~~~",
            "[1-2]", "[1.5]", "[1 2]", "[1,]", "[,]", "[9\n]", "  two  spaces ", "[a, 9]",
            "![9](u)", "\\[9\\]",
            "```swift\nlet x = [9] ``` [9]\n``` \n", "*[ab]* 9]", "[９]",
        ])
    func others(text: String) {
        let (result, citations) = filtered(text)
        #expect(result == text)
        #expect(citations == Citations())
    }

    @Test("code ends where its marks say so")
    func code() {
        #expect(filtered("`a[9]` [9] b").text == "`a[9]` b")
        #expect(filtered("a ` stray [9] [1]\nb [9] c").text == "a ` stray [1]\nb c")
        #expect(filtered("a `` stray [9] `x[9]` [9]").text == "a `` stray `x[9]`")
        #expect(
            filtered("a ` stray " + String(repeating: "b", count: 2000) + " [9]", shown: 1)
                .citations.removed == 1)
        let many = (1...45).map { String(repeating: "`", count: $0) }.joined(separator: " [9] ")
        #expect(filtered(many).citations.removed == 44)
        #expect(filtered("```\n[9]\n```\nb [9]").text == "```\n[9]\n```\nb")
        #expect(filtered("a ~ b [9] c").text == "a ~ b c")
    }

    @Test("long lists are citations, too")
    func longLists() {
        let list = "[\((1...200).map(String.init).joined(separator: ", "))]"
        #expect(
            filtered("a \(list) b") == ("a [1, 2, 3] b", Citations(shown: [1, 2, 3], removed: 197)))
    }

    @Test("without passages, every citation is removed")
    func nothingShown() {
        #expect(filtered("a [1] b [2].", shown: 0) == ("a b.", Citations(removed: 2)))
    }

    @Test("however an answer is split, the result is the same")
    func splits() {
        var random = SeededGenerator(seed: 11)
        let pieces = [
            "[", "]", "1", "2", "9", "0", ",", ";", " ", "  ", "(", ")", "a", "é", "温", "\n", "`",
            "```", "~~~", "[1]",
            "[9]", "[1, 9]", "\\", "!", ".", "👩‍👧",
        ]
        for _ in 0..<4000 {
            let text = (0..<Int.random(in: 0...14, using: &random))
                .map { _ in pieces.randomElement(using: &random)! }.joined()
            let whole = filtered(text)
            let scalars = text.unicodeScalars.map { String($0) }
            #expect(filtered(text, parts: scalars) == whole, "\(text.debugDescription)")
            var parts: [String] = []
            for scalar in scalars {
                if parts.isEmpty || Bool.random(using: &random) { parts.append("") }
                parts[parts.count - 1] += scalar
            }
            #expect(filtered(text, parts: parts) == whole, "\(text.debugDescription)")
            // What is left has no citation that was not shown, outside code.
            let again = filtered(whole.text)
            #expect(again.text == whole.text || text.contains("`") || text.contains("~"), "\(text)")
        }
    }

    @Test("only what may be a citation waits")
    func streams() {
        var filter = CitationFilter(shown: 1)
        #expect(filter.pass("Drill 6") == "Drill 6")
        #expect(filter.pass(" mm [") == " mm")
        #expect(filter.pass("1") == "")
        #expect(filter.pass("].") == " [1].")
        let long = "[" + String(repeating: "1,", count: 100_000)
        #expect(filter.pass(long).utf8.count > 199_000)
    }
}
