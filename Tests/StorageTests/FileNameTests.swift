import Storage
import TestSupport
import Testing

@Suite("Names of files")
struct FileNameTests {
    @Test("names that escape, deceive or differ between platforms are refused (B41 to B62)")
    func hostile() {
        for (row, name) in HostileNames.files {
            let error = #expect(throws: FileNameError.self, "\(row): \(name)") {
                try FileName(name)
            }
            #expect(error?.fault == .usage)
            #expect(error?.message.utf8.allSatisfy { 0x20...0x7E ~= $0 } == true, "\(row)")
        }
    }

    @Test(
        "ordinary names are accepted",
        arguments: [
            "a", "model.safetensors", ".gitattributes", ".gitignore", "fti", "git", "fti~", "..a",
            "a b", "-rf", "What is it?.md", "*", "console", "com", "com10", "nullable.txt",
            "\u{E9}t\u{E9}", "\u{65E5}\u{672C}", "\u{1F600}.txt",
            String(repeating: "x", count: 255),
        ])
    func ordinary(name: String) throws {
        #expect(try FileName(name).bytes == Array(name.utf8))
        #expect(try FileName(name).description == name)
    }

    @Test("names are ordered and compared by their bytes")
    func order() throws {
        #expect(try FileName("Z") < FileName("a"))
        #expect(try FileName("a") < FileName("a.b"))
        #expect(try FileName("\u{E9}") > FileName("z"))
    }

    @Test(
        "names that clash on some file system fold to the same text",
        arguments: [
            ("README", "readme"), ("\u{C9}", "\u{E9}"), ("\u{3A3}", "\u{3C2}"), ("s", "\u{17F}"),
        ])
    func folding(first: String, second: String) throws {
        #expect(try FileName(first).folded == FileName(second).folded)
        #expect(try FileName(first) != FileName(second))
    }

    @Test("a path consists of names, and refuses every forbidden name")
    func paths() throws {
        let path = try RelativePath("a/b c/d")
        #expect(path.names.map(\.description) == ["a", "b c", "d"])
        #expect(path.description == "a/b c/d")
        #expect(try RelativePath("").names.isEmpty)
        for text in ["/a", "a/", "a//b", "../a", "a/../b", "a/./b", "/"] {
            #expect(throws: FileNameError.self) { try RelativePath(text) }
        }
        #expect(try RelativePath("a/b") < RelativePath("a.b"))
    }

    @Test("a path of more than 4096 bytes is refused (B62)")
    func longPath() throws {
        let name = try FileName(String(repeating: "x", count: 240))
        let longest = try RelativePath([FileName](repeating: name, count: 17))
        #expect(longest.byteCount == 4096)
        #expect(throws: FileNameError.self) { try longest.appending(try FileName("y")) }
    }
}
