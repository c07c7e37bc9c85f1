import CKernels
import TestSupport
import Testing

@testable import Objects

@Suite("Plain lines of JSON Lines")
struct PlainRowParserTests {
    /// The bytes of the row that the careful parser reads from a line, or nil.
    private func careful(_ line: String, vector: String?) throws -> [[UInt8]]? {
        let parser = try JSONLinesRowParser(keyFields: ["id", "n"], vectorField: vector)
        let bytes = Array(line.utf8)
        guard let row = try? parser.row(bytes.span),
            let encoded = try? EncodedTableRow(row, dimension: row.vector.count)
        else { return nil }
        return [encoded.key, encoded.attributes, encoded.vector]
    }

    private func plain(_ bytes: [UInt8], vector: String?) -> [[UInt8]]? {
        var parser = PlainRowParser(keyFields: ["id", "n"], vectorField: vector)
        return parser.read(bytes.span) ? [parser.key, parser.attributes, parser.vector] : nil
    }

    @Test(
        "ordinary lines are read as the careful parser reads them",
        arguments: [
            #"{"id":"a","n":1}"#, #"  { "n" : 1 , "id" : "a" , "x" : [ ] , "y" : { } }  "#,
            #"{"v":[1,2.5,-3e2],"id":"ä","n":-12,"t":true,"f":false,"z":null}"#,
            #"{"id":"a","n":0,"t":"q\"\\\/\b\f\n\r\té\u00e9\u20ac\ud83d\ude00\u00E9"}"#,
            #"{"id":"a","n":0,"o":{"b":{"d":1,"c":[1,{"z":1,"y":2}]},"a":[[],{}]}}"#,
            #"{"id":"a","n":0,"x":[0.5,0.50,1.0,-0,-0.0,0.0,1e3,1E-7,0.000001,0.0000001,123456789012345,0.30000000000000004,1.7976931348623157e308]}"#,
            #"{"id":"a","n":0,"ä":1,"z":2,"é":3,"€":4,"😀":5,"�":6,"":7}"#,
            #"{"id":"a","n":0,"e":"","E":[""]}"#,
        ])
    func usual(line: String) throws {
        for vector in [nil, "v"] {
            let result = plain(Array(line.utf8), vector: vector)
            let expected = try careful(line, vector: vector)
            #expect((result == nil) == (expected == nil))
            #expect(result == expected)
        }
    }

    @Test(
        "malformed lines are left to the careful parser",
        arguments: [
            "", "{}", "[1]", #"{"id":"a"}"#, #"{"id":"a","n":1"#, #"{"id":"a","n":1}}"#,
            #"{"id":"a","n":1,}"#, #"{"id":"a","n":01}"#, #"{"id":"a","n":1,"x":-}"#,
            #"{"id":"a","n":1,"x":1.}"#, #"{"id":"a","n":1,"x":.5}"#, #"{"id":"a","n":1,"x":tru}"#,
            #"{"id":"a","n":1,"x":truf}"#, #"{"id":"a","n":1,"x":[1,]}"#,
            #"{"id":"a","n":1,"x":[1 2]}"#, #"{"id":"a","n":1,"x":{"a":1,}}"#,
            #"{"id":"a","n":1,"x":{"a":1,"a":2}}"#, #"{"id":"a","n":1,"n":2}"#,
            #"{"id":"a","n":1,"x":"\ud800"}"#, #"{"id":"a","n":1,"x":"\x"}"#,
            #"{"id":"a","n":1,"x":"\u00g0"}"#, #"{"id":"a","n":1,"x":12345678901234567890}"#,
            #"{"id":"a","n":1.5}"#, #"{"id":"","n":1}"#, #"{"id":[],"n":1}"#, #"{"id" "a","n":1}"#,
            #"{"id":"a\u0007","n":1}"#, "{\"id\":\"a\u{7}\",\"n\":1}",
            "\u{FEFF}{\"id\":\"a\",\"n\":1}",
        ])
    func wrong(line: String) throws {
        for vector in [nil, "v"] { #expect(plain(Array(line.utf8), vector: vector) == nil) }
    }

    @Test("invalid UTF-8 is left to the careful parser")
    func invalidText() {
        let start = Array(#"{"id":"a","n":1,"x":""#.utf8)
        for bad in [[0x80], [0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80]] {
            let line = start + bad.map { UInt8($0) } + Array(#""}"#.utf8)
            #expect(plain(line, vector: nil) == nil)
        }
    }

    @Test("changed bytes give the careful parser's row, or none")
    func mutations() throws {
        var generator = SeededGenerator(seed: 21)
        let lines = [
            #"{"v": [0.25, -1.5e-3,12], "id":"doc","n":3,"m":{"b":[1,2.50,"x\n"],"a":null}}"#,
            #"{"n":7,"id":"ä€","t":"😀\u00e9","v":[1,2,3],"o":{"y":0.1,"x":-0.0}}"#,
        ]
        let letters =
            Array(#"{}[]",:\ 0123456789.-+eEutfnl"#.utf8) + [0x00, 0x80, 0xC3, 0xF0, 0xFF]
        var accepted = 0
        for _ in 0..<6000 {
            var bytes = Array(lines.randomElement(using: &generator)!.utf8)
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[index] = letters.randomElement(using: &generator)!
                case 1: bytes.remove(at: index)
                default: bytes.insert(letters.randomElement(using: &generator)!, at: index)
                }
            }
            guard let result = plain(bytes, vector: "v") else { continue }
            accepted += 1
            let text = try #require(String(validating: bytes, as: UTF8.self))
            #expect(try careful(text, vector: "v") == result, "\(text)")
        }
        #expect(accepted > 0 && accepted < 6000)
    }

    // MARK: Kernels

    private func floats(
        _ text: String, capacity: Int = 64,
        _ kernel: (
            UnsafePointer<UInt8>?, Int, Int, UnsafeMutablePointer<Float>?, Int,
            UnsafeMutablePointer<Int>?
        ) -> Int
    ) -> [Float]? {
        let bytes = Array(text.utf8)
        var out = [Float](repeating: .nan, count: capacity)
        var end = -1
        let count = bytes.withUnsafeBufferPointer { text in
            out.withUnsafeMutableBufferPointer {
                kernel(text.baseAddress, text.count, 1, $0.baseAddress, capacity, &end)
            }
        }
        guard count > 0 else { return nil }
        #expect(bytes[end - 1] == 0x5D)
        return Array(out[..<count])
    }

    @Test("numbers are rounded to fp32 once, as by the C library")
    func rounding() throws {
        var generator = SeededGenerator(seed: 5)
        var hard = [
            "0", "-0", "0.0", "-0.0", "1", "16777216", "16777217", "16777219", "33554435",
            "0.1", "1e10", "1E+10", "1e-10", "3.4028234e38", "3.4028235e38", "3.4028236e38", "1e39",
            "1.17549435e-38", "1.17549429e-38", "1e-45", "7e-46", "1e-50", "1e999", "-1e-999",
            "1.00000005960464477539062500", "1.00000005960464477539062501",
            "1.000000059604644775390624999999999999999999", "1.00000017881393432617187500",
            "0.00000000000000000000000000000000000000000000001", "100000000000000000000000000000",
            "123456789012345678901234567890.123456789012345678901234567890",
            "8388608.5", "8388609.5", "4194304.25", "0.3333333432674408", "0.333333358168602",
        ]
        for _ in 0..<3000 {
            let float = Float(
                bitPattern: UInt32.random(in: 0x0080_0000..<0x7F7F_FFFF, using: &generator))
            hard.append("\(float)")
            hard.append("\(Double(float))")
            // The midpoint of two neighbours, and values just beside it.
            let middle = (Double(float) + Double(float.nextUp)) / 2
            hard.append("\(middle)")
            hard.append("\(middle.nextUp)")
            hard.append("\(-middle.nextDown)")
            hard.append("\(Double.random(in: -1...1, using: &generator))")
            hard.append("\(Float.random(in: -1...1, using: &generator))")
        }
        var read = 0
        for text in hard {
            for spelling in [
                "[\(text)]", "[\(text),1]", "[0.125, \(text) , 2]",
                "[0.5000000000000000000000000000000000000001,0,0,0,\(text)]",
            ] {
                let result = floats(spelling) { fti_read_floats($0, $1, $2, $3, $4, $5) }
                let portable = floats(spelling) { fti_read_floats_portable($0, $1, $2, $3, $4, $5) }
                #expect(result?.map(\.bitPattern) == portable?.map(\.bitPattern), "\(spelling)")
                guard let result else { continue }
                read += 1
                let place = [2: 0, 3: 1, 5: 4][result.count] ?? 0
                #expect(result[place].bitPattern == Float(text)?.bitPattern, "\(spelling)")
            }
        }
        #expect(read > 3000)
    }

    @Test(
        "anything but a list of numbers is not read",
        arguments: [
            "[]", "[", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[01]", "[-]", "[+1]", "[.5]", "[5.]",
            "[1.2.3]", "[1e]", "[1e+]", "[--1]", "[1-]", "[0x1]", "[NaN]", "[null]", "[\"1\"]",
            "[[1]]",
            "[1,2}", "[1;2]", "[-.5]", "[00]", "[-01]", "[1.,2]", "[0.1234567890123456789.1]",
        ])
    func noList(text: String) {
        for padding in ["", String(repeating: " ", count: 70)] {
            let text = "[" + padding + text.dropFirst()
            #expect(floats(text) { fti_read_floats($0, $1, $2, $3, $4, $5) } == nil)
            #expect(floats(text) { fti_read_floats_portable($0, $1, $2, $3, $4, $5) } == nil)
        }
    }

    @Test("a list of any length is read at any offset, up to the capacity")
    func lengths() {
        for count in 1...70 {
            let text = "[" + (0..<count).map { "-0.\($0)25" }.joined(separator: ",") + "]"
            let result = floats(text) { fti_read_floats($0, $1, $2, $3, $4, $5) }
            #expect(result?.count == (count <= 64 ? count : nil))
            #expect(result == floats(text) { fti_read_floats_portable($0, $1, $2, $3, $4, $5) })
        }
    }

    @Test("the end of plain text is found at every distance")
    func plainText() {
        for length in 0..<70 {
            for (mark, other) in [(0x22, 0x61), (0x5C, 0xC3), (0x1F, 0x20), (0, 0x7F)] {
                var bytes = [UInt8](repeating: UInt8(other), count: length)
                bytes += [UInt8(mark), 0x22, 0x80]
                var seen: UInt8 = 0
                var portable: UInt8 = 0
                let end = fti_plain_text_end(bytes, bytes.count, 0, &seen)
                #expect(end == length)
                #expect(fti_plain_text_end_portable(bytes, bytes.count, 0, &portable) == length)
                #expect(seen == portable)
                #expect((seen != 0) == (length > 0 && other >= 0x80))
            }
        }
    }
}
