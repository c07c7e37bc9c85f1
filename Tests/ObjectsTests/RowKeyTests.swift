import Testing

@testable import Objects

@Suite("Keys and numbers of rows")
struct RowKeyTests {
    private func rows(_ text: String, keys: [String]) throws -> [TableRow] {
        let source = try JSONLinesSource(
            BytesBlob(Array(text.utf8)), name: "rows", keyFields: keys, vectorField: nil)
        return try source.rows(threads: 1)
    }

    @Test("a number and the text that spells it are different keys")
    func numbers() throws {
        let found = try rows(
            """
            {"id":1}
            {"id":"1"}
            {"id":"\\"1\\""}
            {"id":-5}
            {"id":"-5"}
            {"id":"01"}
            {"id":"1.0"}
            {"id":"a#b"}
            """, keys: ["id"])
        #expect(
            Set(found.map(\.key))
                == ["1", "\"1\"", "\"\"1\"\"", "-5", "\"-5\"", "01", "1.0", "a#b"])
    }

    @Test("different values of several key fields give different keys")
    func injective() throws {
        let values = [
            ##""a""##, ##""a#""##, ##""#a""##, ##""#""##, ##""\\""##, ##""\\#""##, ##""a\\""##, "1",
            ##""1""##, ##""1#1""##, ##""\"1\"""##, ##""\"1""##, "10", ##""10""##,
        ]
        var text = ""
        for left in values {
            for right in values { text += "{\"l\":\(left),\"r\":\(right)}\n" }
        }
        let found = try rows(text, keys: ["l", "r"])
        #expect(found.count == values.count * values.count)
        #expect(Set(found.map(\.key)).count == found.count)
        #expect(found.contains { $0.key == "a\\##\\#a" })
    }

    @Test("floating-point numbers stay floating-point, and integers stay integers")
    func floats() throws {
        let line =
            #"{"id":"a","list":[1,1.0,-0.0,0.0,1e3,1E20,2.50,-7,1e21,0.1,{"x":4.0}]}"# + "\n"
        // The unusual form of the second line leaves it to the other parser.
        let other = line.replacing(#""a""#, with: ##""\u0062#1""##)
        let found = try rows(line + other, keys: ["id"])
        for row in found {
            let text = try #require(row.attributes["list"]).canonicalText
            #expect(
                text == "[1,1.0,-0.0,0.0,1000.0,100000000000000000000.0,2.5,-7,1e+21,0.1,"
                    + "{\"x\":4.0}]")
        }
        #expect(JSON.float(1) != .number(1))
        #expect(try JSON(parsing: Array("1.0".utf8).span) == .number(1))
    }

    @Test("a table keeps integers apart from floating-point numbers, and reads back both")
    func table() throws {
        let store = MemoryStore()
        let source = try JSONLinesSource(
            BytesBlob(Array("{\"id\":\"a\",\"x\":1.0,\"y\":1}\n".utf8)), name: "rows",
            keyFields: ["id"])
        let table = try Table.importing(source, in: store) { () throws(ObjectError) in
            try TestRepository().writer.makeScratch()
        }
        let row = try #require(try table.row(for: "a", in: store))
        #expect(JSON.object(row.attributes).canonicalText == #"{"id":"a","x":1.0,"y":1}"#)
    }
}
