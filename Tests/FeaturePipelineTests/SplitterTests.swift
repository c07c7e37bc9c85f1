import FeaturePipeline
import Testing

@Suite("The splitter")
struct SplitterTests {
    private func section(_ blocks: [CleanDocument.Block]) -> CleanDocument.Section {
        CleanDocument.Section(anchor: "a", headings: ["A"], level: 1, blocks: blocks)
    }

    private func randomBlocks(_ generator: inout SeededGenerator) -> [CleanDocument.Block] {
        let words = [
            "a", "pump", "starts.", "Why?", "valve", "(e.g. this)", "溫室控制。", "naïve", "e\u{301}",
        ]
        return (0..<Int.random(in: 1...8, using: &generator)).map { _ in
            let count = Int.random(in: 1...60, using: &generator)
            let kind =
                [CleanDocument.Block.Kind.paragraph, .listItem, .code, .tableRow]
                .randomElement(using: &generator) ?? .paragraph
            let text = (0..<count).map { _ in words.randomElement(using: &generator) ?? "" }
            return CleanDocument.Block(kind, text.joined(separator: kind == .code ? "\n" : " "))
        }
    }

    @Test("chunks cover the text, keep their size, overlap as promised, and are the same each time")
    func laws() {
        var generator = SeededGenerator(seed: 1)
        for (size, overlap) in [(20, 0), (20, 10), (50, 7), (100, 50), (1000, 100)] {
            let splitter = RecursiveSplitter(size: size, overlap: overlap)
            for _ in 0..<40 {
                let section = section(randomBlocks(&generator))
                let text = Array(section.text.unicodeScalars)
                let chunks = splitter.chunks(of: section)
                #expect(chunks == splitter.chunks(of: section))
                #expect(chunks.map(\.ordinal) == Array(chunks.indices))
                var covered = 0
                for chunk in chunks {
                    #expect(Array(chunk.text.unicodeScalars) == Array(text[chunk.range]))
                    #expect((1...size).contains(chunk.range.count))
                    #expect(covered - chunk.range.lowerBound <= overlap)
                    if covered < chunk.range.lowerBound {
                        let gap = text[covered..<chunk.range.lowerBound]
                        #expect(gap.allSatisfy { $0.properties.isWhitespace })
                    }
                    if chunk.range.lowerBound < covered {
                        let before = text[chunk.range.lowerBound - 1]
                        #expect(before.properties.isWhitespace || before == "。")
                    }
                    #expect(chunk.range.upperBound > covered)
                    covered = chunk.range.upperBound
                }
                #expect(text[covered...].allSatisfy { $0.properties.isWhitespace })
            }
        }
    }

    @Test("small blocks are packed together, and a block that fits is not cut")
    func packing() {
        let splitter = RecursiveSplitter(size: 40, overlap: 0)
        let blocks = ["One two three.", "Four five six.", "Seven eight nine ten eleven."].map {
            CleanDocument.Block(.paragraph, $0)
        }
        let texts = splitter.chunks(of: section(blocks)).map(\.text)
        #expect(texts == ["One two three.\n\nFour five six.", "Seven eight nine ten eleven."])
    }

    @Test("long blocks are cut after sentences, long sentences after words, long words anywhere")
    func cuts() {
        func texts(_ text: String, size: Int, overlap: Int = 0) -> [String] {
            RecursiveSplitter(size: size, overlap: overlap)
                .chunks(of: section([CleanDocument.Block(.paragraph, text)])).map(\.text)
        }
        #expect(
            texts("The pump runs. It stops at night. Then silence.", size: 40)
                == ["The pump runs. It stops at night.", "Then silence."])
        #expect(
            texts("aaaa bbbb cccc dddd eeee ffff", size: 20) == [
                "aaaa bbbb cccc dddd", "eeee ffff",
            ])
        #expect(texts(String(repeating: "x", count: 45), size: 20).map(\.count) == [20, 20, 5])
        #expect(
            texts("One is one. Two is two. Three is three.", size: 28, overlap: 13)
                == ["One is one. Two is two.", "Two is two. Three is three."])
    }

    @Test("a change of one section changes no chunk of another")
    func locality() throws {
        let before = try clean("# A\n\none\n\n# B\n\ntwo\n\n# C\n\nthree", .markdown)
        let after = try clean("# A\n\none\n\n# B\n\nother and more\n\n# C\n\nthree", .markdown)
        let splitter = RecursiveSplitter()
        let old = splitter.chunks(of: before)
        let new = splitter.chunks(of: after)
        #expect(old[0] == new[0])
        #expect(old[2] == new[2])
        #expect(old[1] != new[1])
    }
}
