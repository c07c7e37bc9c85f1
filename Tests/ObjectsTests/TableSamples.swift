import Synchronization
import TestSupport

@testable import Objects

/// Rows and stores that the tests of tables share.
enum TableSamples {
    /// Keys are long, so that a few hundred rows already fill several levels of nodes.
    static func key(_ number: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: 6 - digits.count) + digits
            + String(repeating: "/", count: 1000)
    }

    static func row(_ number: Int, version: Int = 0, dimension: Int = 4) -> TableRow {
        var generator = SeededGenerator(seed: UInt64(number * 1000 + version))
        let text = String(
            repeating: "é\(version) ", count: Int.random(in: 5...200, using: &generator))
        return TableRow(
            key(number), ["text": .string(text), "number": .integer(number)],
            vector: (0..<dimension).map { _ in Float.random(in: -1...1, using: &generator) })
    }

    static func rows(_ numbers: some Sequence<Int>) -> [TableRow] { numbers.map { row($0) } }

    /// All rows, read back.
    static func contents(
        of table: Table, in source: some ObjectSource
    ) throws(ObjectError) -> [TableRow] {
        var cursor = TableCursor(table, in: source)
        var rows: [TableRow] = []
        while let row = try cursor.next() { rows.append(row) }
        return rows
    }

    /// The number of levels, leaves included.
    static func height(of table: Table, in source: some ObjectSource) throws -> Int {
        try TableNode(decoding: try source.read(table.root, limit: 1 << 26)).level + 1
    }
}

extension TableRow {
    /// A row whose attributes are a literal.
    init(_ key: String, _ attributes: JSON = [:], vector: [Float] = []) {
        self.init(key: key, attributes: attributes.object ?? JSONObject(), vector: vector)
    }
}

/// A value behind a lock, for stores that record calls.
final class MutexBox<Value: Sendable>: Sendable {
    private let storage: Mutex<Value>

    init(_ value: Value) { storage = Mutex(value) }

    var value: Value { storage.withLock { $0 } }

    func update(_ body: (inout Value) -> Void) { storage.withLock { body(&$0) } }
}
