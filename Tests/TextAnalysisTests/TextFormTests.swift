import TestSupport
import Testing

@testable import TextAnalysis

@Suite("The forms of texts")
struct TextFormTests {
    @Test(
        "stored text is composed and otherwise unchanged",
        arguments: [
            ("Du\u{308}se", "Düse"), ("ﬁ ＦＴＩ ½ x²", "ﬁ ＦＴＩ ½ x²"), ("", ""), ("Straße", "Straße"),
            ("\u{1112}\u{1161}\u{11AB}", "한"), ("か\u{3099}", "が"), ("\u{212B}", "Å"),
            ("a\u{301}\u{323}", "ạ\u{301}"), ("\u{958}", "\u{915}\u{93C}"),
            ("soft\u{AD}ware", "soft\u{AD}ware"),
            ("日本語 🎉", "日本語 🎉"), ("\u{1F469}\u{200D}\u{1F4BB}", "\u{1F469}\u{200D}\u{1F4BB}"),
            ("<\u{338}", "\u{226E}"), ("e\u{301}", "é"),
        ])
    func composed(text: String, expected: String) {
        // Swift compares strings by canonical equivalence, so compare bytes.
        #expect(Array(TextForm.composed(text).utf8) == Array(expected.utf8))
        #expect(Array(TextForm.composed(expected).utf8) == Array(expected.utf8))
    }

    @Test(
        "matched text has one spelling",
        arguments: [
            ("ÉCOLE", "école"), ("E\u{301}cole", "école"), ("ＦＴＩ＿１２", "fti_12"), ("ﬁle", "file"),
            ("STRASSE", "strasse"), ("Straße", "strasse"), ("ΣΊΣΥΦΟΣ", "σίσυφοσ"), ("ς", "σ"),
            ("ｶﾞ", "ガ"), ("①", "1"), ("½", "1\u{2044}2"), ("㏂", "a.m."),
            ("soft\u{AD}ware", "software"),
            ("a\u{200B}b\u{FEFF}", "ab"), ("α\u{345}\u{301}", "άι"), ("\u{1FB4}", "άι"),
            ("ﷺ", "صلى الله عليه وسلم"), ("ㄱㅏ", "가"), ("𝐁𝐨𝐥𝐝", "bold"), ("İ", "i\u{307}"),
        ])
    func matched(text: String, expected: String) {
        let matched = TextForm.matched(text)
        #expect(Array(matched.utf8) == Array(expected.utf8))
        #expect(Array(TextForm.matched(matched).utf8) == Array(expected.utf8))
    }

    @Test("the forms of a text are idempotent and consistent with each other")
    func stable() {
        var random = RandomText(seed: 7)
        for _ in 0..<1000 {
            let text = random.text()
            let composed = TextForm.composed(text)
            #expect(composed == text, "canonically equal")
            #expect(Array(TextForm.composed(composed).utf8) == Array(composed.utf8))
            let matched = TextForm.matched(text)
            #expect(Array(TextForm.matched(matched).utf8) == Array(matched.utf8))
            #expect(Array(TextForm.matched(composed).utf8) == Array(matched.utf8))
        }
    }

    @Test("many unordered marks take no longer than ordered ones", .timeLimit(.minutes(1)))
    func manyMarks() {
        let marks = String(repeating: "\u{301}\u{323}", count: 200_000)
        #expect(TextForm.composed("a" + marks).unicodeScalars.count == 400_000)
        #expect(TextForm.matched(marks).unicodeScalars.count == 400_000)
    }

    @Test("Unicode has a version")
    func version() throws {
        let parts = TextForm.unicodeVersion.split(separator: ".")
        #expect(try #require(parts.first.flatMap { Int($0) }) >= 14)
    }
}

/// Reproducible random texts of scalars that some normal form changes.
struct RandomText {
    private var generator: SeededGenerator

    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    private static let sets: [ClosedRange<UInt32>] = [
        0x20...0x7E, 0x61...0x7A, 0xA0...0x36F, 0x370...0x3FF, 0x590...0x6FF, 0x900...0x97F,
        0x0E00...0x0EFF, 0x1100...0x11FF, 0x1E00...0x1FFF, 0x2000...0x2064, 0x3040...0x30FF,
        0x3130...0x318F, 0x4E00...0x4E20, 0xAC00...0xAC40, 0xFB00...0xFFFD, 0x1D400...0x1D4FF,
    ]

    /// Up to 40 scalars.
    mutating func text() -> String {
        let count = Int.random(in: 0...40, using: &generator)
        var scalars = String.UnicodeScalarView()
        for _ in 0..<count {
            let set = Self.sets[Int.random(in: 0..<Self.sets.count, using: &generator)]
            if let scalar = Unicode.Scalar(UInt32.random(in: set, using: &generator)) {
                scalars.append(scalar)
            }
        }
        return String(scalars)
    }
}
