@testable internal import Objects

extension FuzzTarget {
    /// Lines of JSON: the fast parser gives the same row as the careful one, or leaves the line to it.
    ///
    /// The first byte of the input selects the key and vector fields; the rest is the line.
    static let rows = FuzzTarget(
        "rows",
        words: [
            "\"id\":", "\"v\":[", "\"page\":", "{\"id\":\"a\",", "1e39", "0.1", "-0", "1e-50",
            "16777217", "9007199254740993", "\\u0061", "\u{85}", "\u{e000}", "\u{1f600}", "[[[[",
            "\\ud800", "true", "null", "\t",
        ]
    ) { _ in
        [
            "{\"id\":\"a\",\"text\":\"x y\",\"n\":1.5,\"list\":[1,2,{\"b\":null}]}",
            "{ \"v\" : [0.25, -1e-3,3] , \"id\" : 17, \"page\":\"p\" }",
            "{\"v\":[1,2],\"id\":\"\\u00e9\",\"page\":3,\"z\":{\"b\":1,\"a\":2}}",
        ].flatMap { line in (0..<4).map { [UInt8($0)] + Array(line.utf8) } }
    } run: { input throws(FuzzFinding) in
        guard input.count > 1 else { return }
        let line = input.extracting(1..<input.count)
        let keys = input[0] & 1 == 0 ? ["id"] : ["id", "page"]
        let vector = input[0] & 2 == 0 ? nil : "v"
        var plain = PlainRowParser(keyFields: keys, vectorField: vector)
        let isRead = plain.read(line)
        guard let careful = try? JSONLinesRowParser(keyFields: keys, vectorField: vector) else {
            return
        }
        let row: TableRow?
        do throws(JSONError) { row = try careful.row(line) } catch {
            return try FuzzFinding.unless(
                !isRead, "the fast parser reads a line that is refused: \(error.reason)")
        }
        guard isRead else { return }
        guard let row,
            let encoded = try? EncodedTableRow(row, dimension: row.vector.count)
        else { throw FuzzFinding("the fast parser reads a line that is not a row") }
        try FuzzFinding.unless(
            encoded.key == plain.key && encoded.attributes == plain.attributes
                && encoded.vector == plain.vector, "two parsers make two rows")
    }
}
