import Objects
import Refs
import Testing

@Suite("Lock files")
struct LockFileTests {
    private let lock: LockFile

    init() throws {
        let pins = (0..<2).map { index in
            LockFile.Pin(
                revision: "models/m\(index)", id: ObjectID(of: [UInt8(index)].span), kind: .model)
        }
        lock = LockFile(
            repository: try #require(RandomBits(hex: String(repeating: "ab", count: 16))),
            transaction: 7, pins: pins,
            lease: RandomBits(hex: String(repeating: "cd", count: 16)))
    }

    private var text: String { String(decoding: lock.encoded, as: UTF8.self) }

    @Test("line ends, white space and the order of members do not matter")
    func layout() throws {
        #expect(try LockFile(decoding: lock.encoded) == lock)
        let windows = text.split(separator: "\n", omittingEmptySubsequences: false)
            .joined(separator: "\r\n")
        let spaced = text.split(separator: ",").joined(separator: " ,\n\t")
        for other in [windows, spaced, JSON.canonical(of: text)] {
            #expect(try LockFile(decoding: Array(other.utf8)) == lock)
        }
    }

    @Test(
        "an edited lock file is refused, unless edits are allowed",
        arguments: [
            ("models/m1", "models/m2"), ("\"kind\":\"model\"", "\"kind\":\"features\""),
            ("\"transaction\":7", "\"transaction\":8"), ("abab", "abac"), ("cdcd", "cdce"),
            ("\"lease\":\"cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd\",", ""),
        ])
    func edited(old: String, new: String) throws {
        let start = try #require(text.firstRange(of: old))
        let edited = Array(text.replacingCharacters(in: start, with: new).utf8)
        let error = try #require(throws: JSONSchemaError.self) { try LockFile(decoding: edited) }
        #expect(error.path == "sha256" && error.reason.contains("edited"))
        #expect(try LockFile(decoding: edited, edited: true) != lock)
    }

    @Test("swapped ids and a missing digest are refused")
    func exchanged() throws {
        let ids = lock.pins.map(\.id.hex)
        let marked = text.split(separator: ids[0]).joined(separator: "X")
            .split(separator: ids[1]).joined(separator: ids[0])
        let exchanged = marked.split(separator: "X").joined(separator: ids[1])
        #expect(throws: JSONSchemaError.self) { try LockFile(decoding: Array(exchanged.utf8)) }
        var object = try #require(try JSON(parsing: lock.encoded.span).object)
        object["sha256"] = nil
        #expect(throws: JSONSchemaError.self) {
            try LockFile(decoding: JSON.object(object).canonicalBytes)
        }
    }
}

extension JSON {
    fileprivate static func canonical(of text: String) -> String {
        (try? JSON(parsing: Array(text.utf8).span))?.canonicalText ?? ""
    }
}

extension String {
    fileprivate func firstRange(of other: String) -> Range<Index>? {
        indices.first { self[$0...].hasPrefix(other) }.map { start in
            start..<index(start, offsetBy: other.count)
        }
    }

    fileprivate func replacingCharacters(in range: Range<Index>, with new: String) -> String {
        String(self[..<range.lowerBound]) + new + String(self[range.upperBound...])
    }
}
