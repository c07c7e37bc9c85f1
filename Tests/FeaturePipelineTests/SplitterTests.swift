import Documents
import FeaturePipeline
import TestSupport
import Testing

@Suite("The splitter")
struct SplitterTests {
    private func section(_ blocks: [CleanDocument.Block]) -> CleanDocument.Section {
        CleanDocument.Section(anchor: "a", headings: ["A"], level: 1, blocks: blocks)
    }

    private func document(_ text: String) throws -> CleanDocument {
        try CleanDocument.clean(
            RawDocument(path: "a.md", format: .markdown, bytes: Array(text.utf8)))
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

    @Test("chunks cover the text, keep to the size, overlap as configured, and are deterministic")
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
                    let own = String(chunk.text.dropFirst(chunk.repeated.count))
                    #expect(Array(own.unicodeScalars) == Array(text[chunk.range]))
                    #expect((1...size).contains(chunk.text.unicodeScalars.count))
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
                #expect(covered == text.count)
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

    private func texts(_ text: String, size: Int, overlap: Int = 0) -> [String] {
        RecursiveSplitter(size: size, overlap: overlap)
            .chunks(of: section([CleanDocument.Block(.paragraph, text)])).map(\.text)
    }

    @Test("long blocks are cut after sentences, long sentences after words, long words anywhere")
    func cuts() {
        #expect(
            texts("The pump runs. It stops at night. Then silence.", size: 40)
                == ["The pump runs.", "It stops at night. Then silence."])
        #expect(
            texts("aaaa bbbb cccc dddd eeee ffff", size: 20) == [
                "aaaa bbbb", "cccc dddd eeee ffff",
            ])
        #expect(texts(String(repeating: "x", count: 45), size: 20).map(\.count) == [5, 20, 20])
    }

    @Test("overlap repeats whole sentences within a paragraph, and nothing between paragraphs")
    func overlaps() {
        let sentences =
            "One is short. Two goes on for some words more. Three is the last one of them."
        #expect(
            texts(sentences, size: 60, overlap: 20)
                == [
                    "One is short. Two goes on for some words more.",
                    "Three is the last one of them.",
                ])
        #expect(
            texts(
                "A first one. No. Here is a sentence of some length that ends here.", size: 60,
                overlap: 20
            )
            .last?.hasPrefix("No. Here") == true)
        let blocks = ["Water runs downhill. So it does.", "Pumps lift it up again. So they do."].map
        {
            CleanDocument.Block(.paragraph, $0)
        }
        #expect(
            RecursiveSplitter(size: 40, overlap: 20).chunks(of: section(blocks)).map(\.text)
                == blocks.map(\.text))
    }

    @Test("a full stop in an abbreviation, a number, an initial or an ellipsis ends no sentence")
    func sentences() {
        for (text, word) in [
            ("See the pages e.g. This one and more", "This"),
            ("Ask for it. Dr. Who is there to help", "Who"),
            ("Version 3.5 Beta is what you run here", "Beta"),
            ("It was once J. Smith who wrote all of it", "Smith"),
            ("Call it with ( ... ) Then wait for it", "Then"),
        ] {
            #expect(texts(text, size: 30).count == 2)
            #expect(texts(text, size: 30).allSatisfy { !$0.hasPrefix(word) }, "\(text)")
        }
        #expect(
            texts("溫室控制器每天早上啟動。夜間停止。然後安靜下來了。", size: 20)
                == ["溫室控制器每天早上啟動。", "夜間停止。然後安靜下來了。"])
    }

    private func table(rows: Int) -> [CleanDocument.Block] {
        var header = CleanDocument.Block(.tableRow, "Name | Type | Use")
        header.isHeader = true
        return [header]
            + (0..<rows).map {
                CleanDocument.Block(.tableRow, "column\($0) | integer | number \($0)")
            }
    }

    @Test("every part of a cut table has the header, and no chunk ends with a header")
    func tables() {
        for size in [60, 100, 300] {
            let blocks = [CleanDocument.Block(.paragraph, "Before it.")] + table(rows: 40)
            let chunks = RecursiveSplitter(size: size, overlap: 10).chunks(of: section(blocks))
            #expect(chunks.count > 2)
            for chunk in chunks where chunk.text.contains("integer") {
                let lines = chunk.text.split(separator: "\n")
                #expect(lines.contains("Name | Type | Use"))
                #expect(lines.last != "Name | Type | Use")
                #expect(chunk.text.unicodeScalars.count <= size)
            }
            let lines = chunks.map(\.text).joined(separator: "\n").split(separator: "\n")
            #expect(
                lines.filter { $0.contains("integer") }.map(String.init)
                    == table(rows: 40).dropFirst().map(\.text))
        }
    }

    @Test("code is cut between lines, preferably before a definition, and keeps its indentation")
    func code() {
        let functions = (0..<12).map {
            "def f\($0)(x):\n    if x:\n        return \($0)\n    return x"
        }
        var block = CleanDocument.Block(
            .code, "    # indented\n" + functions.joined(separator: "\n\n"))
        block.language = "python"
        let chunks = RecursiveSplitter(size: 200, overlap: 20).chunks(of: section([block]))
        #expect(chunks.first?.text.hasPrefix("    # indented\n") == true)
        #expect(chunks.dropFirst().allSatisfy { $0.text.hasPrefix("def f") })
        #expect(chunks.map(\.text).joined(separator: "\n\n") == block.text)
        #expect(chunks.allSatisfy { $0.languages == ["python"] })
    }

    @Test("a lead-in stays with what it introduces")
    func announcements() {
        var generator = SeededGenerator(seed: 4)
        for _ in 0..<50 {
            var blocks: [CleanDocument.Block] = []
            for number in 0..<20 {
                var head = CleanDocument.Block(.paragraph, "Directive \(number):")
                head.keepsWithNext = true
                let body = (0..<Int.random(in: 3...40, using: &generator)).map { "line \($0);" }
                blocks += [head, CleanDocument.Block(.code, body.joined(separator: "\n"))]
            }
            for chunk in RecursiveSplitter(size: 200, overlap: 20).chunks(of: section(blocks)) {
                #expect(!chunk.text.hasSuffix(":"))
            }
        }
    }

    private func paragraph(_ generator: inout SeededGenerator) -> CleanDocument.Block {
        let sentences = (0..<Int.random(in: 1...6, using: &generator)).map { _ in
            "Words"
                + (0..<Int.random(in: 5...18, using: &generator)).map { _ in
                    " w\(Int.random(in: 0..<5000, using: &generator))"
                }.joined() + "."
        }
        return CleanDocument.Block(.paragraph, sentences.joined(separator: " "))
    }

    @Test(
        "a paragraph inserted anywhere leaves most chunks as they were, and chunks are well filled")
    func stability() {
        var generator = SeededGenerator(seed: 2)
        let splitter = RecursiveSplitter()
        var (new, gone, characters, count) = (0, 0, 0, 0)
        for round in 0..<300 {
            var blocks = (0..<Int.random(in: 10...30, using: &generator)).map { _ in
                paragraph(&generator)
            }
            let before = splitter.chunks(of: section(blocks)).map(\.text)
            blocks.insert(paragraph(&generator), at: round % 3 * blocks.count / 2)
            let after = splitter.chunks(of: section(blocks)).map(\.text)
            new += Set(after).subtracting(before).count
            gone += Set(before).subtracting(after).count
            characters += before.reduce(0) { $0 + $1.unicodeScalars.count }
            count += before.count
            if round % 3 == 0 {
                // At the beginning all but the first chunk stay.
                #expect(after.suffix(before.count - 1) == before.suffix(before.count - 1))
            }
        }
        #expect(new < 600 && gone < 450, "\(new) \(gone)")
        #expect(characters > count * 690, "\(characters / count)")
    }

    @Test("a section of a few characters joins its neighbour, a short answer does not")
    func small() throws {
        let text = """
            # Guide

            Read all of it.

            ## See Also

            ## Is it free?

            Yes, it is.

            ## Notes

            none

            ## Last

            The end of it all.
            """
        let chunks = RecursiveSplitter().chunks(of: try document(text))
        #expect(
            chunks.map(\.text) == [
                "Read all of it.\n\nSee Also", "Yes, it is.\n\nNotes\n\nnone", "The end of it all.",
            ])
        let nested = try document("# A\n\n## B\n\n## C\n\n### D\n\n### E\n\n## F")
        #expect(RecursiveSplitter().chunks(of: nested).map(\.text) == ["B", "D\n\nE\n\nF"])
        let outline = try document("# A\n\n## B\n\n## C\n\n## D")
        #expect(RecursiveSplitter().chunks(of: outline).count == 1)
        #expect(
            RecursiveSplitter(size: 20, overlap: 0).chunks(of: outline).allSatisfy {
                $0.text.count <= 20
            })
    }

    @Test("a chunk has the links and the page of its blocks")
    func attributes() {
        var blocks = ["One.", "Two."].map {
            CleanDocument.Block(.paragraph, $0 + String(repeating: " more", count: 8))
        }
        blocks[0].links = ["a", "b", "data:" + String(repeating: "x", count: 5000), "a"]
        blocks[0].page = 3
        blocks[1].links = ["b", "c"]
        blocks[1].page = 4
        let together = RecursiveSplitter(size: 200, overlap: 0).chunks(of: section(blocks))
        #expect(together.map(\.links) == [["a", "b", "c"]])
        #expect(together.map(\.page) == [3])
        let apart = RecursiveSplitter(size: 50, overlap: 0).chunks(of: section(blocks))
        #expect(apart.map(\.links) == [["a", "b"], ["b", "c"]])
        #expect(apart.map(\.page) == [3, 4])
    }

    @Test("changing one section changes no chunk of another")
    func locality() throws {
        let before = try document("# A\n\nOne.\n\n# B\n\nTwo.\n\n# C\n\nThree.")
        let after = try document("# A\n\nOne.\n\n# B\n\nOther.\n\n# C\n\nThree.")
        let splitter = RecursiveSplitter()
        let old = splitter.chunks(of: before)
        let new = splitter.chunks(of: after)
        #expect(old[0] == new[0])
        #expect(old[2] == new[2])
        #expect(old[1] != new[1])
    }
}
