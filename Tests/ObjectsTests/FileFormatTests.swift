import Objects
import Testing

@Suite("Formats of files")
struct FileFormatTests {
    private func format(_ bytes: [UInt8]) throws -> FileFormat {
        let store = MemoryStore()
        return try FileFormat(of: try store.write(bytes, hint: .bulk), in: store)
    }

    private func format(_ text: String) throws -> FileFormat { try format(Array(text.utf8)) }

    @Test("what is in a file decides")
    func content() throws {
        let header = Array(#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#.utf8)
        let length: [UInt8] = [UInt8(header.count), 0, 0, 0, 0, 0, 0, 0]
        #expect(try format(length + header + [0, 0, 0, 0]) == .safetensors)
        #expect(try format(length + header + [0, 0, 0]) == .binary)
        #expect(try format(Array("GGUF".utf8) + [3, 0, 0, 0]) == .gguf)
        #expect(try format("") == .text)
        #expect(try format("{\"a\": 1}\nüber\n") == .text)
        #expect(try format([0xFF, 0xFE, 0x41]) == .binary)
        #expect(try format("a\0b") == .binary)
    }

    @Test("a long text whose window ends inside a character is text")
    func window() throws {
        #expect(try format("a" + String(repeating: "ü", count: 40_000)) == .text)
    }

    @Test(
        "pickles of every protocol are recognised",
        arguments: [
            // pickle.dumps({"a": [1, 2]}, PROTOCOL), and pickle.dumps(os.system, 0).
            Array("(dp0\nVa\np1\n(lp2\nI1\naI2\nas.".utf8),
            [0x7D, 0x71, 0, 0x58, 1, 0, 0, 0, 0x61, 0x71, 1, 0x5D, 0x71, 2, 0x28]
                + [0x4B, 1, 0x4B, 2, 0x65, 0x73, 0x2E],
            [0x80, 2, 0x7D, 0x71, 0, 0x2E],
            [0x80, 5, 0x95, 2, 0, 0, 0, 0, 0, 0, 0, 0x4E, 0x2E],
            Array("cposix\nsystem\np0\n.".utf8),
            Array("cposix\nsystem\n(S'true'\ntR.and then some more".utf8),
            // torch.save in its old form begins with a pickle of a magic number.
            [
                0x80, 2, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19,
                0x2E,
            ],
        ])
    func pickles(bytes: [UInt8]) throws {
        #expect(try format(bytes) == .pickle)
        #expect(try format(bytes).runsCode)
    }

    @Test(
        "text is no pickle",
        arguments: [
            "import os\n", "(see below)\n", "1. one\n2. two.\n", "I am a text.\n", "{\"a\": [1]}",
            "version https://git-lfs.github.com/spec/v1\n", "N", ".", "cat and dog.\n", "2.",
        ])
    func texts(text: String) throws { #expect(try format(text) == .text) }

    @Test("arrays of objects are pickles, arrays of numbers are not")
    func arrays() throws {
        func array(_ type: String) -> [UInt8] {
            let header = Array("{'descr': \(type), 'fortran_order': False, 'shape': (1,), }\n".utf8)
            return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.count), 0] + header + [0, 0]
        }
        #expect(try format(array("'<f4'")) == .npy)
        #expect(try format(array("'|O'")) == .pickle)
        #expect(try format(array("[('a', '<f4'), ('b', '|O')]")) == .pickle)
    }

    @Test("a zip file with a pickle in it is told from others, wherever the pickle is")
    func zip() throws {
        func local(_ name: String) -> [UInt8] {
            [0x50, 0x4B, 3, 4] + [UInt8](repeating: 0, count: 22)
                + [UInt8(name.utf8.count), 0, 0, 0] + Array(name.utf8)
        }
        func central(_ name: String) -> [UInt8] {
            [0x50, 0x4B, 1, 2] + [UInt8](repeating: 0, count: 24)
                + [UInt8(name.utf8.count), 0] + [UInt8](repeating: 0, count: 16) + Array(name.utf8)
        }
        #expect(try format(local("archive/data.pkl") + [1, 2, 3]) == .zipPickle)
        #expect(try format(local("a.txt") + central("a.txt") + central("DATA.PKL")) == .zipPickle)
        #expect(try format(local("a.txt") + central("a.txt")) == .zip)
        #expect(try format([0x50, 0x4B, 3, 4]) == .zip)
    }
}
