import Objects
import Storage
import TestSupport
import Testing

/// An identity that differs for each number.
func identity(_ number: Int) -> ObjectID { ObjectID(of: Array("\(number)".utf8).span) }

@Suite("Trees")
struct TreeTests {
    static let id = String(repeating: "ab", count: 32)

    func line(_ name: String, mode: String = "f", size: String = "1", id: String = id) -> String {
        "\(mode) \(size) \(id) \(name)\n"
    }

    func expectRefusal(_ text: String, _ comment: Comment? = nil) {
        expectRefusal(bytes: Array(text.utf8), comment)
    }

    func expectRefusal(bytes: [UInt8], _ comment: Comment? = nil) {
        let error = #expect(throws: ObjectError.self, comment) { try Tree(decoding: bytes) }
        #expect(error?.fault == .damaged, comment)
        #expect(error?.message.utf8.contains(0x0A) == false, comment)
    }

    @Test("the encoding is lines of text, sorted by the bytes of the names")
    func golden() throws {
        let id = try #require(ObjectID(hex: Self.id))
        let tree = try Tree([
            TreeEntry(name: FileName("weights"), mode: .directory, size: 90, id: id),
            TreeEntry(name: FileName("run.sh"), mode: .executable, size: 0, id: id),
            TreeEntry(name: FileName("a b"), mode: .file, size: 12, id: id),
            TreeEntry(name: FileName("\u{E9}"), mode: .file, size: 9_007_199_254_740_991, id: id),
        ])
        let text =
            "fti-tree 1\n" + line("a b", size: "12") + line("run.sh", mode: "x", size: "0")
            + line("weights", mode: "d", size: "90") + line("\u{E9}", size: "9007199254740991")
        #expect(tree.encoded == Array(text.utf8))
        #expect(try Tree(decoding: tree.encoded) == tree)
        #expect(tree[try FileName("run.sh")]?.mode == .executable)
        #expect(tree[try FileName("run")] == nil)
        #expect(tree[try FileName("zebra")] == nil)
    }

    @Test("an empty tree is its first line")
    func empty() throws {
        #expect(try Tree([]).encoded == Array("fti-tree 1\n".utf8))
        #expect(try Tree(decoding: Array("fti-tree 1\n".utf8)).entries.isEmpty)
    }

    @Test("names that escape or deceive are refused when they are decoded (B41 to B58, B62)")
    func hostileNames() {
        for (row, name) in HostileNames.files {
            let head = Array("fti-tree 1\nf 1 \(Self.id) ".utf8)
            expectRefusal(bytes: head + name + [0x0A], "\(row): \(name)")
        }
    }

    @Test(
        "names that clash on some file system are refused (B59 to B61)",
        arguments: [
            ("README", "readme"), ("\u{C9}", "\u{E9}"), ("\u{3A3}", "\u{3C3}"),
            ("\u{3C2}", "\u{3C3}"), ("a", "a"), ("b", "a"),
        ])
    func clashes(first: String, second: String) throws {
        expectRefusal("fti-tree 1\n" + line(first) + line(second))
        guard first != "b" else { return }
        let error = #expect(throws: ObjectError.self) {
            try Tree([
                TreeEntry(name: FileName(first), mode: .file, size: 1, id: identity(1)),
                TreeEntry(name: FileName(second), mode: .file, size: 1, id: identity(2)),
            ])
        }
        #expect(error?.fault == .usage)
    }

    @Test("two spellings of one name are refused in either order (B59)")
    func normalForms() {
        expectRefusal("fti-tree 1\n" + line("e\u{301}") + line("\u{E9}"))
        expectRefusal("fti-tree 1\n" + line("e\u{301}"))
        // The Kelvin sign is canonically the letter.
        expectRefusal("fti-tree 1\n" + line("\u{212A}"))
    }

    @Test("bytes that are not the canonical encoding are refused (B63)")
    func malformed() {
        for text in [
            "", "fti-tree 1", "fti-tree 2\n", "\u{FEFF}fti-tree 1\n", "fti-tree 1\r\n",
            "fti-tree 1\n\n", "fti-tree 1\n ", "{}", "fti-tree 1\n" + line("a") + "\n",
        ] {
            expectRefusal(text, "\(text)")
        }
        for mode in ["", "l", "F", "ff", "100644", "0120000", "07777", " f", "-"] {
            expectRefusal("fti-tree 1\n" + line("a", mode: mode), "\(mode)")
        }
        for size in [
            "", "01", "00", "-1", "+1", "1.0", "1e2", " 1", "1 ", "0x1", "9007199254740992",
            "9223372036854775808", "18446744073709551616", String(repeating: "9", count: 400),
            "\u{FF11}",
        ] {
            expectRefusal("fti-tree 1\n" + line("a", size: size), "\(size)")
        }
        for id in [
            "", String(Self.id.dropLast()), Self.id + "a", Self.id.uppercased(),
            String(repeating: "\u{FF41}", count: 64), String(repeating: "gg", count: 32),
        ] {
            expectRefusal("fti-tree 1\n" + line("a", id: id), "\(id)")
        }
    }

    @Test("a tree truncated anywhere but after a line is refused")
    func truncation() throws {
        let whole = Array(("fti-tree 1\n" + line("a") + line("b", mode: "d")).utf8)
        for count in 0..<whole.count {
            let bytes = Array(whole[..<count])
            if count > 10, bytes.last == 0x0A {
                #expect(try Tree(decoding: bytes).encoded == bytes)
            } else {
                expectRefusal(bytes: bytes, "\(count)")
            }
        }
    }

    @Test("a tree with a damaged byte is refused, or encodes to the same bytes")
    func damage() throws {
        var generator = SeededGenerator(seed: 7)
        let names = ["a", "b.txt", "c d", "\u{E9}", "\u{65E5}"]
        let whole = Array(("fti-tree 1\n" + names.map { line($0) }.joined()).utf8)
        _ = try Tree(decoding: whole)
        var accepted = 0
        for _ in 0..<3000 {
            var bytes = whole
            let place = Int.random(in: 0..<bytes.count, using: &generator)
            bytes[place] = UInt8.random(in: 0...255, using: &generator)
            if let tree = try? Tree(decoding: bytes) {
                accepted += 1
                #expect(tree.encoded == bytes)
            }
        }
        #expect(accepted > 0 && accepted < 3000)
    }

    @Test("a size out of range cannot be stored")
    func sizes() throws {
        for size in [-1, TreeEntry.sizeLimit + 1] {
            #expect(throws: ObjectError.self) {
                try Tree([TreeEntry(name: FileName("a"), mode: .file, size: size, id: identity(1))])
            }
        }
    }
}
