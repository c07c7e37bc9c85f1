@testable import Documents
import TestSupport
import Testing

@Suite("Text encodings")
struct EncodingTests {
    private func document(_ bytes: [UInt8], encoding: String? = nil) throws -> CleanDocument {
        try CleanDocument.clean(
            RawDocument(path: "page.txt", format: .text, encoding: encoding, bytes: bytes))
    }

    private func text(_ bytes: [UInt8], encoding: String? = nil) throws -> String {
        try document(bytes, encoding: encoding).sections.flatMap(\.blocks).map(\.text)
            .joined(separator: "\n")
    }

    @Test("a stray byte in UTF-8 costs one character and is reported")
    func oneBadByte() throws {
        let menu = Array("Café menu, Größe 10 µm".utf8)
        for bad: [UInt8] in [[0xFF], [0xC3], [0xE2, 0x82], [0xA0]] {
            let found = try document(menu + [0x20] + bad + Array(" naïve".utf8))
            #expect(
                found.sections.first?.blocks.first?.text == "Café menu, Größe 10 µm \u{FFFD} naïve")
            #expect(findings(found) == ["replaced bad UTF-8 1 byte sequences"])
        }
        // A character truncated at the end.
        #expect(try text(Array(menu.dropLast(2))) == "Café menu, Größe 10 \u{FFFD}")
    }

    @Test("Windows-1252 bytes and raw C1 controls are read as Windows-1252")
    func windows1252() throws {
        #expect(try text(Array("caf".utf8) + [0xE9, 0x20, 0x96, 0x20, 0x80, 0x35]) == "café – €5")
        let found = try document(Array("a \u{93}b\u{94} \u{85}".utf8))
        #expect(found.sections.first?.blocks.first?.text == "a “b” …")
        #expect(findings(found) == ["replaced C1 controls 3 characters"])
    }

    @Test("byte-order marks decide, and are not content")
    func marks() throws {
        #expect(try text([0xEF, 0xBB, 0xBF] + Array("é".utf8)) == "é")
        for isBig in [false, true] {
            let wide = "héllo 日本".utf16.flatMap { unit -> [UInt8] in
                let bytes = [UInt8(unit & 0xFF), UInt8(unit >> 8)]
                return isBig ? bytes.reversed() : bytes
            }
            #expect(try text((isBig ? [0xFE, 0xFF] : [0xFF, 0xFE]) + wide) == "héllo 日本")
        }
        let wide = "plain text in UTF-16".utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        #expect(try text(wide) == "plain text in UTF-16")
        let four = "é".unicodeScalars.flatMap { [UInt8($0.value & 0xFF), 0, 0, 0] }
        #expect(try text([0xFF, 0xFE, 0, 0] + four) == "é")
    }

    @Test("the encoding that a source declares is trusted")
    func declared() throws {
        #expect(try text([0xCC, 0xE8, 0xF0], encoding: "windows-1251") == "Мир")
        #expect(try text([0xCC, 0xE8, 0xF0], encoding: "cp1251") == "Мир")
        #expect(try text([0x93, 0xFA, 0x96, 0x7B], encoding: "Shift_JIS") == "日本")
        #expect(try text([0xE9, 0x93], encoding: "latin1") == "é“")
        #expect(throws: UnreadableDocument.self) { try text([0x61], encoding: "klingon") }
        #expect(throws: UnreadableDocument.self) { try text([0x61], encoding: "utf-8//IGNORE") }
    }

    @Test("other encodings are detected, with a confidence")
    func detected() throws {
        let russian =
            "Съешь же ещё этих мягких французских булок, да выпей чаю. Широкая электрификация южных губерний "
            + "даст мощный толчок подъёму сельского хозяйства."
        var bytes: [UInt8] = []
        for scalar in russian.unicodeScalars {
            switch scalar.value {
            case 0x410...0x44F: bytes.append(UInt8(scalar.value - 0x410 + 0xC0))
            case 0x451: bytes.append(0xB8)
            default: bytes.append(UInt8(scalar.value))
            }
        }
        let found = try document(bytes)
        #expect(found.sections.first?.blocks.first?.text == russian)
        #expect(found.findings.first?.fate == .guessed)
        #expect(found.findings.first?.detail == "windows-1251, confidence 100%")
    }

    @Test("concatenated files of two encodings")
    func joined() throws {
        let both =
            Array("Größe und Maß\n\nÄrger über Öl\n\n".utf8)
            + Array("Gr".utf8) + [0xF6, 0xDF] + Array("e und Ma".utf8) + [0xDF]
        #expect(try text(both) == "Größe und Maß\nÄrger über Öl\nGröße und Maß")
    }

    @Test("Windows-1252 text pasted into UTF-8 leaves the rest unchanged")
    func pasted() throws {
        let both = Array("café and raw ".utf8) + [0x93] + Array("quotes".utf8) + [0x94]
        #expect(try text(both) == "café and raw “quotes”")
        let chinese: [UInt8] = [
            0xC7, 0xEB, 0xBD, 0xAB, 0xB5, 0xE7, 0xC0, 0xC2, 0xC1, 0xAC, 0xBD, 0xD3,
        ]
        #expect(try text(chinese, encoding: "gbk") == "请将电缆连接")
    }

    @Test("controls and U+FFFD separate words")
    func controls() throws {
        #expect(
            try text(Array("one\u{1}two\u{1B}[0mthree\u{7F}four".utf8)) == "one two [0mthree four")
    }

    @Test("any bytes decode in every character set, or are refused")
    func anyBytes() {
        var generator = SeededGenerator(seed: 11)
        let labels = [
            nil, "utf-8", "shift_jis", "gb18030", "big5", "euc-kr", "utf-16", "iso-2022-jp",
        ]
        var accepted = 0
        for _ in 0..<400 {
            let bytes = (0..<Int.random(in: 0..<200, using: &generator)).map { _ in
                UInt8.random(in: 1...255, using: &generator)
            }
            let label = labels.randomElement(using: &generator) ?? nil
            if (try? document(bytes, encoding: label)) != nil { accepted += 1 }
        }
        #expect(accepted > 0)
    }
}
