import Objects
import TestSupport
import Testing

@Suite("JSON")
struct JSONTests {
    private static func parse(_ text: String) throws -> JSON {
        try JSON(parsing: Array(text.utf8).span)
    }

    private static func isRefused(_ bytes: [UInt8]) -> Bool {
        (try? JSON(parsing: bytes.span)) == nil
    }

    @Test("numbers are spelled as ECMAScript spells them (RFC 8785, appendix B, and more)")
    func numbers() throws {
        let table: [(Double, String)] = [
            (0, "0"), (-0.0, "0"), (.leastNonzeroMagnitude, "5e-324"),
            (-.leastNonzeroMagnitude, "-5e-324"),
            (1.7976931348623157e308, "1.7976931348623157e+308"),
            (9_007_199_254_740_992, "9007199254740992"),
            (-9_007_199_254_740_992, "-9007199254740992"),
            (0x1p68, "295147905179352830000"),
            (9.999999999999997e22, "9.999999999999997e+22"), (1e23, "1e+23"),
            (1.0000000000000001e23, "1.0000000000000001e+23"),
            (999_999_999_999_999_737_856, "999999999999999700000"),
            (999_999_999_999_999_868_928, "999999999999999900000"), (1e21, "1e+21"),
            (9.999999999999997e-7, "9.999999999999997e-7"), (0.000001, "0.000001"),
            (333_333_333.3333332, "333333333.3333332"), (1e-7, "1e-7"), (1e16, "10000000000000000"),
            (0.1 + 0.2, "0.30000000000000004"), (1e20, "100000000000000000000"),
            (0x1p60, "1152921504606847000"), (0x1p59, "576460752303423500"), (1.5, "1.5"),
            (-123.456, "-123.456"), (100, "100"), (1424953923781206.2, "1424953923781206.2"),
        ]
        for (value, text) in table {
            #expect(JSON.number(value).canonicalText == text)
            #expect(try Self.parse(text).number == value, "\(text)")
        }
    }

    @Test("the example of RFC 8785 section 3.2.3: keys are sorted by UTF-16 units")
    func keyOrder() throws {
        let text =
            #"{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet "#
            + #"With Dagesh","1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","#
            + #""\u00f6":"Latin Small Letter O With Diaeresis"}"#
        let keys = try #require(try Self.parse(text).object?.keys)
        #expect(
            keys.map { Array($0.unicodeScalars.map(\.value)) } == [
                [0x0D], [0x31], [0x80], [0xF6], [0x20AC], [0x1F600], [0xFB33],
            ])
    }

    @Test("the example of RFC 8785 section 3.2.2: what must be escaped, and nothing else")
    func escapes() throws {
        let text =
            #"{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"#
            + #""string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}"#
        let expected =
            #"{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,"#
            + #"1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}"#
        #expect(try Self.parse(text).canonicalText == expected)
    }

    @Test(
        "malformed and ambiguous JSON is refused",
        arguments: [
            "", " ", "{", "[", "\"", "[1,]", "{\"a\":1,}", "{,}", "[,]", "{\"a\"}", "{\"a\":}",
            "{a:1}", "{'a':1}", "[1 2]", "1 2", "nul", "nulll", "True", "+1", "-", "01", "-01",
            "1.",
            ".5", "1e", "1e+", "0x10", "NaN", "Infinity", "-Infinity", "1e400", "-1e400",
            "9007199254740993", "-9007199254740993", "12345678901234567890", "1152921504606846977",
            #"{"a":1,"a":1}"#, #"{"a":1,"b":2,"\u0061":3}"#, #""\ud800""#, #""\udc00""#,
            #""\ud800\ud800""#, #""\ud800x""#, #""\ud800\n""#, #""\u12g4""#, #""\u12"#, #""\x41""#,
            "\"\u{1}\"", "\"a\nb\"", "\"\t\"", "\u{FEFF}1", "1\u{FEFF}", "/**/1", "\u{A0}1",
            "1\u{0}",
        ])
    func refused(text: String) {
        #expect(Self.isRefused(Array(text.utf8)))
    }

    @Test(
        "numbers that no double holds are rounded on request",
        arguments: [
            ("9007199254740993", 9_007_199_254_740_992), ("1e400", Double.infinity),
            ("-1e400", -Double.infinity), ("12345678901234567890", 12_345_678_901_234_567_168),
        ])
    func rounded(text: String, expected: Double) throws {
        #expect(Self.isRefused(Array(text.utf8)))
        let rounded = try JSON(parsing: Array(text.utf8).span, roundsNumbers: true)
        #expect(rounded.number == expected)
        #expect(throws: JSONError.self) {
            try JSON(parsing: Array("01".utf8).span, roundsNumbers: true)
        }
    }

    @Test("invalid UTF-8 is refused, in values and in keys")
    func invalidText() {
        for bad: [UInt8] in [
            [0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xE2, 0x82], [0xF4, 0x90, 0x80, 0x80],
        ] {
            #expect(Self.isRefused([0x22] + bad + [0x22]))
            #expect(Self.isRefused([0x7B, 0x22] + bad + [0x22, 0x3A, 0x31, 0x7D]))
        }
    }

    @Test("64 levels are accepted and 65 are not")
    func depth() throws {
        func nested(_ depth: Int, _ inner: String) -> String {
            String(repeating: "[", count: depth) + inner + String(repeating: "]", count: depth)
        }
        #expect(throws: Never.self) { try Self.parse(nested(64, "")) }
        #expect(throws: Never.self) { try Self.parse(nested(64, "1")) }
        #expect(Self.isRefused(Array(nested(65, "").utf8)))
        #expect(Self.isRefused(Array(nested(65, "1").utf8)))
        #expect(Self.isRefused(Array(nested(64, "{}").utf8)))
        #expect(Self.isRefused([UInt8](repeating: 0x5B, count: 1_000_000)))
    }

    @Test("white space as in RFC 8259 is accepted but not canonical")
    func whiteSpace() throws {
        let text = " \t\r\n{ \"a\" : [ 1 , 2 ] } \n"
        #expect(try Self.parse(text).canonicalText == #"{"a":[1,2]}"#)
        #expect(throws: JSONError.self) { try JSON(canonical: Array(text.utf8)) }
    }

    @Test(
        "one value has one canonical spelling",
        arguments: [
            "1.0", "1e2", "-0", "0.10", "10000000e1", "[1, 2]", #"{"b":1,"a":2}"#, #""\u0041""#,
            #""\/""#, #""\u00e9""#, #""\u000A""#, #""\u000F""#, "1E+30", "1e30", "1 ", "[1]\n",
        ])
    func notCanonical(text: String) throws {
        _ = try Self.parse(text)
        #expect(throws: JSONError.self) { try JSON(canonical: Array(text.utf8)) }
    }

    @Test("two spellings of one character are two keys and two values")
    func normalization() throws {
        let text = "{\"e\u{301}\":1,\"\u{E9}\":2}"
        let object = try #require(try Self.parse(text).object)
        #expect(object["\u{E9}"]?.integer == 2 && object["e\u{301}"]?.integer == 1)
        #expect(JSON.string("e\u{301}") != JSON.string("\u{E9}"))
    }

    @Test("random values survive their encoding, which is canonical")
    func roundTrip() throws {
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<400 {
            let value = Self.randomValue(&generator, depth: 0)
            let bytes = value.canonicalBytes
            #expect(try JSON(canonical: bytes) == value)
        }
    }

    @Test("random bytes and cut texts never crash the reader")
    func hostile() throws {
        var generator = SeededGenerator(seed: 4)
        let alphabet = Array(#"{}[]",:0123456789.eE+-\utrfalsn "#.utf8) + [0xC3, 0xA9, 0xFF]
        var accepted = 0
        for _ in 0..<2000 {
            let count = Int.random(in: 0..<40, using: &generator)
            let bytes = (0..<count).map { _ in alphabet.randomElement(using: &generator) ?? 0 }
            if let value = try? JSON(parsing: bytes.span) {
                accepted += 1
                #expect(try JSON(canonical: value.canonicalBytes) == value)
            }
        }
        #expect(accepted > 0 && accepted < 2000)
        let text = Self.randomValue(&generator, depth: 0).canonicalBytes
        for count in 0..<text.count where text[0] == 0x7B || text[0] == 0x5B {
            #expect(Self.isRefused(Array(text[..<count])))
        }
    }

    @Test("numbers are integers only within 2^53")
    func integers() throws {
        #expect(try Self.parse("9007199254740992").integer == 1 << 53)
        #expect(try Self.parse("9007199254740994").integer == nil)
        #expect(try Self.parse("1e20").integer == nil)
        #expect(try Self.parse("1.5").integer == nil)
        #expect(try Self.parse("1.0").integer == 1)
        #expect(try Self.parse("\"1\"").integer == nil)
    }

    private static func randomValue(_ generator: inout SeededGenerator, depth: Int) -> JSON {
        switch Int.random(in: 0..<(depth < 4 ? 8 : 6), using: &generator) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &generator))
        case 2:
            let value = Double(bitPattern: generator.next())
            return .number(value.isFinite ? value : 1)
        case 3: return .integer(Int.random(in: -(1 << 53)...(1 << 53), using: &generator))
        case 4: return .number(Double(Int.random(in: -9999...9999, using: &generator)) / 100)
        case 5: return .string(randomText(&generator))
        case 6:
            return .array(
                (0..<Int.random(in: 0..<5, using: &generator)).map { _ in
                    randomValue(&generator, depth: depth + 1)
                })
        default:
            var object = JSONObject()
            for _ in 0..<Int.random(in: 0..<5, using: &generator) {
                object[randomText(&generator)] = randomValue(&generator, depth: depth + 1)
            }
            return .object(object)
        }
    }

    private static func randomText(_ generator: inout SeededGenerator) -> String {
        let ranges: [ClosedRange<UInt32>] = [
            0...0x1F, 0x20...0x7E, 0x7F...0xFF, 0x300...0x310, 0x2020...0x2030, 0xFFF0...0xFFFF,
            0x1F600...0x1F610, 0x10FFF0...0x10FFFF,
        ]
        var text = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 0..<8, using: &generator) {
            let range = ranges.randomElement(using: &generator) ?? 0x20...0x7E
            if let scalar = Unicode.Scalar(UInt32.random(in: range, using: &generator)) {
                text.append(scalar)
            }
        }
        return String(text)
    }
}
