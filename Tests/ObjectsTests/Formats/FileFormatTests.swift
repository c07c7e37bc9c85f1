@testable import FileFormats
import TestSupport
import Testing

@testable import Objects

@Suite("Formats of files")
struct FileFormatTests {
    private func format(_ bytes: [UInt8]) throws -> FileFormat {
        let store = MemoryStore()
        return try FileFormat.detect(try store.write(bytes, hint: .bulk), in: store)
    }

    private func format(_ text: String) throws -> FileFormat { try format(Array(text.utf8)) }

    @Test("the content of a file decides its format")
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
        "text is not taken for a pickle",
        arguments: [
            "import os\n", "(see below)\n", "1. one\n2. two.\n", "I am a text.\n", "{\"a\": [1]}",
            "version https://git-lfs.github.com/spec/v1\n", "N", ".", "cat and dog.\n", "2.",
            "cat\ndog\nbird\n", "cos\nsin\ntan\n", "certifi\nnumpy\npandas==1\n", "N.B. this\n",
            "car\ncat\nNaN\n", "class\nid\nNb_cores\n", "x^2 + y^2\n", "BZh91 is text\n",
            "Step 1: type\ncos\nsystem\n(S'id'\ntR.\n", "((((((\n", "Paris\nLondon\n",
            "chapter\none\n(introduction) text\n",
        ])
    func texts(text: String) throws { #expect(try format(text) == .text) }

    @Test(
        "data that calls something before it breaks is a pickle, text or not",
        arguments: [
            "cposix\nsystem\np0\n(Vtrue\np1\ntp2\nRp3\nXXXX garbage",
            "cposix\nsystem\n(V" + String(repeating: "a", count: 9000) + "\ntR.",
            "V" + String(repeating: "a", count: 200_000) + "\n0cos\nsystem\n(S'x'\ntR and more",
            "I1\n.I2\n.cos\nsystem\n(S'x'\ntRZ", "(S'x'\nios\nsystem\nZ",
            "(cos\nsystem\nS'x'\noq", "(I1\nI01\nL5L\nF1.5\nNt0cos\nsystem\n(S'x'\ntRZ",
            "I0x10\n0cos\nsystem\n(S'x'\ntRZ", "cos\nsystem\n(lS'x'\na.",
            "cos\nsystem\np7\n0g7\n(S'x'\ntRZ", "cos\nfoo\n}S'a'\nI1\nsbZ",
        ])
    func broken(text: String) throws {
        #expect(try format(text) == .pickle)
        #expect(try format(Array(text.utf8) + [0xFF]) == .pickle)
    }

    @Test("a pickle is found behind a header of another kind, when it calls something")
    func later() throws {
        let call = [0x80, 2] + Array("cos\nsystem\n(S'x'\ntR.".utf8)
        #expect(try format([0, 1, 2, 0xFF] + call) == .pickle)
        #expect(try format([0x80, 0] + call.dropFirst(2)) == .pickle)
        #expect(try format([0, 1, 2, 0xFF, 0x80, 2, 0x4E, 0x2E]) == .binary)
        let plain: [UInt8] = [0x80, 2, 0x4E, 0x2E]
        #expect(try format(plain + call) == .pickle)
        #expect(try format(plain + [0xFF, 0xFF]) == .pickle)
    }

    @Test("bytes that happen to be an instruction or two are not a pickle")
    func chance() throws {
        var generator = SeededGenerator(seed: 11)
        for number in 0..<400 {
            var bytes = generator.bytes(2000)
            if number % 2 == 0 { (bytes[0], bytes[1]) = (0x80, UInt8(number / 2 % 6)) }
            #expect(try format(bytes) == .binary, "\(number)")
        }
    }

    @Test(
        "the length of a safetensors header is not taken for a pickle",
        arguments: [0x280, 0x480, 0x28_0280])
    func unluckyLength(count: Int) throws {
        let header = Array(#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#.utf8)
        let length = (0..<8).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) }
        let padding = [UInt8](repeating: 0x20, count: count - header.count)
        #expect(try format(length + header + padding + [0, 0, 0, 0]) == .safetensors)
    }

    @Test("inflation is bounded, and nothing is claimed about data beyond the bound")
    func bomb() throws {
        let zeros = [UInt8](repeating: 0, count: 100_000)
        let stored = Zlib.compress(zeros.span)
        let store = MemoryStore()
        let id = try store.write(stored, hint: .bulk)
        let budget = InflationBudget(limit: 70_000)
        var feed = InflatedFeed(
            RangeFeed(id, 0..<stored.count, in: store), .zlib, budget: budget)
        var count = 0
        while case let part = try feed.next(), !part.isEmpty { count += part.count }
        #expect(count == 70_000)
        #expect(budget.isExhausted)
        #expect(try format(stored) == .archive)
    }

    @Test("arrays of objects are pickles, arrays of numbers are not")
    func arrays() throws {
        func array(_ type: String) -> [UInt8] {
            let header = Array("{'descr': \(type), 'fortran_order': False, 'shape': (1,), }\n".utf8)
            return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.count), 0] + header + [0, 0]
        }
        #expect(try format(array("'<f4'")) == .npy)
        #expect(try format(array("'|O'")) == .pickle)
        #expect(try format(array("[('a', '<f4'), ('b', '|O')]")) == .pickle)
        #expect(try format(array("[('O', '<f4'), ('|O', '<U3', (2,))]")) == .npy)
        for type in ["'object'", "\"O8\"", "'f4,O'", "'\\x4f'", "'|' 'O'", "u'O'", "unknown"] {
            #expect(try format(array(type)) == .pickle, "\(type)")
        }
        let numbers = Array(array("'|u1'").dropLast())
        #expect(try format(numbers + array("'<i2'")) == .npy)
        #expect(try format(numbers + array("'|O'")) == .pickle)
        #expect(try format(numbers + Array("cos\nsystem\n(S'x'\ntR.".utf8)) == .pickle)
    }

    @Test("a pickle is found anywhere in a zip file")
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
        func end(_ directory: [UInt8], at offset: Int) -> [UInt8] {
            [0x50, 0x4B, 5, 6, 0, 0, 0, 0, 0, 0, 0, 0, UInt8(directory.count), 0, 0, 0]
                + [UInt8(offset), 0, 0, 0, 0, 0]
        }
        func archive(_ names: String...) -> [UInt8] {
            let first = local("a.txt")
            let directory = names.flatMap { central($0) }
            return first + directory + end(directory, at: first.count)
        }
        #expect(try format(archive("a.txt", "DATA.PKL")) == .zipPickle)
        #expect(try format(archive("a.txt")) == .zip)
        #expect(try format([0xFF, 0, 1] + archive("a.txt", "DATA.PKL")) == .zipPickle)
        // The cut-off part was never examined.
        #expect(try format([0x50, 0x4B, 3, 4]) == .archive)
    }
}
