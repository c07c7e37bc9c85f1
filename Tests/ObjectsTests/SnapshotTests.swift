import Objects
import Storage
import Testing

@Suite("Snapshots")
struct SnapshotTests {
    private static func id(_ number: UInt8) -> ObjectID {
        ObjectID(bytes: [UInt8](repeating: number, count: 32).span)
    }

    private static let params: JSON = ["rate": 0.5, "deep": ["a": [1, .null]]]

    private static func full() throws -> Snapshot {
        Snapshot(
            kind: .features, content: .table(Table(root: id(1), rows: 12, dimension: 384)),
            parents: [id(2), id(3)], inputs: ["dataset": id(4), "base": id(5)],
            producer: .init(pipeline: "fti-feature", version: "1.0", revision: "abc"),
            params: try #require(params.object),
            metrics: ["recall@10": 0.875, "large": 1e20, "tiny": .leastNonzeroMagnitude],
            space: id(6),
            cursor: .table(Table(root: id(7), rows: 3, dimension: 0)),
            created: try #require(Timestamp("2026-08-01T09:30:00.250Z")), message: "größer\n")
    }

    private static func minimal() throws -> Snapshot {
        Snapshot(
            kind: .model, content: .tree(id(1), files: 0, bytes: 0),
            producer: .init(pipeline: "x", version: ""),
            created: try #require(Timestamp(milliseconds: 0)))
    }

    @Test("a snapshot survives its encoding, which is canonical JSON")
    func roundTrip() throws {
        for snapshot in [try Self.full(), try Self.minimal()] {
            let bytes = snapshot.encoded
            #expect(try JSON(canonical: bytes).canonicalBytes == bytes)
            let again = try Snapshot(decoding: bytes)
            #expect(again == snapshot)
            #expect(again.encoded == bytes)
        }
    }

    @Test("a snapshot is read from a store, and names every object it depends on")
    func stored() throws {
        let store = MemoryStore()
        let snapshot = try Self.full()
        let id = try store.write(snapshot.encoded, hint: .structured)
        #expect(try Snapshot(id, in: store) == snapshot)
        #expect(Set(snapshot.links) == Set((1...7).map { Self.id($0) }))
    }

    private static func reason(_ bytes: [UInt8]) -> String? {
        do {
            _ = try Snapshot(decoding: bytes, id: id(9))
            return nil
        } catch {
            guard case .malformed(id(9), "snapshot", let reason, _) = error else {
                return "another error: \(error)"
            }
            #expect(error.fault == .damaged)
            return reason
        }
    }

    private static func edited(_ path: [String], _ value: JSON?) throws -> [UInt8] {
        func set(_ object: JSONObject, _ path: ArraySlice<String>) throws -> JSONObject {
            var object = object
            let key = try #require(path.first)
            if path.count == 1 {
                object[key] = value
            } else {
                object[key] = .object(
                    try set(try #require(object[key]?.object), path.dropFirst()))
            }
            return object
        }
        let object = try #require(try JSON(canonical: try full().encoded).object)
        return JSON.object(try set(object, path[...])).canonicalBytes
    }

    @Test("a missing member is named by its path")
    func missing() throws {
        let paths = [
            ["type"], ["kind"], ["content"], ["content", "id"], ["content", "rows"],
            ["content", "type"], ["parents"], ["inputs"], ["producer"], ["producer", "pipeline"],
            ["producer", "version"], ["params"], ["metrics"], ["created"], ["message"],
            ["cursor", "id"],
        ]
        for path in paths {
            let reason = Self.reason(try Self.edited(path, nil))
            #expect(reason == "\(path.joined(separator: ".")) is missing")
        }
        for path in [["space"], ["cursor"], ["producer", "revision"]] {
            #expect(Self.reason(try Self.edited(path, nil)) == nil)
        }
    }

    @Test("a member of the wrong type or value is named by its path")
    func wrong() throws {
        let hex = String(repeating: "ab", count: 32)
        let cases: [([String], JSON)] = [
            (["type"], "tree"), (["type"], 1), (["kind"], "models"), (["kind"], "Features"),
            (["content"], []), (["content", "id"], .string(hex.uppercased())),
            (["content", "id"], 7), (["content", "rows"], -1), (["content", "rows"], 1.5),
            (["content", "rows"], 1e20), (["content", "rows"], "12"),
            (["content", "type"], "blob"),
            (["parents"], [:]), (["parents"], ["x"]), (["parents"], [1]),
            (["inputs", "base"], "short"), (["inputs"], []), (["producer"], "me"),
            (["producer", "version"], 1), (["producer", "revision"], .null), (["params"], []),
            (["metrics", "tiny"], "0.1"), (["metrics"], 1), (["space"], .null), (["space"], ""),
            (["cursor"], .null), (["cursor", "rows"], true), (["created"], "2026-08-01"),
            (["created"], 0), (["message"], []), (["message"], .null),
        ]
        for (path, value) in cases {
            let bytes = try Self.edited(path, value)
            let reason = try #require(Self.reason(bytes), "\(path) \(value.canonicalText)")
            #expect(reason.hasPrefix(path.joined(separator: ".")), "\(reason)")
        }
    }

    @Test("an unknown member is refused, at the top level and inside")
    func unknown() throws {
        for path in [
            ["extra"], ["content", "extra"], ["producer", "extra"], ["cursor", "files"],
        ] {
            let reason = Self.reason(try Self.edited(path, 1))
            #expect(reason == "\(path.joined(separator: ".")) is unknown")
        }
    }

    @Test("another spelling of the same snapshot is refused")
    func notCanonical() throws {
        let bytes = try Self.full().encoded
        let text = String(decoding: bytes, as: UTF8.self)
        for other in [
            text + "\n", " " + text, text.replacing(":12,", with: ":12.0,"),
            text.replacing("größer", with: "gr\\u00f6\\u00dfer"),
            text.replacing("\"kind\":\"features\",", with: "")
                .replacing("{\"content", with: "{\"kind\":\"features\",\"content"),
            text.replacing(
                "\"kind\":\"features\"", with: "\"kind\":\"features\",\"kind\":\"features\""),
            text.replacing("\"space\"", with: "\"space\":null,\"space\""), "\u{FEFF}" + text,
            String(text.dropLast()) + ",}",
        ] {
            #expect(other != text)
            #expect(Self.reason(Array(other.utf8)) != nil, "\(other)")
        }
        #expect(Self.reason(Array("[]".utf8)) == "the value must be an object")
        #expect(Self.reason([]) != nil)
    }

    @Test("roles and metrics that a dictionary would merge are refused")
    func normalization() throws {
        let value = JSON.string(String(repeating: "ab", count: 32))
        let inputs: JSON = ["e\u{301}": value, "\u{E9}": value]
        #expect(Self.reason(try Self.edited(["inputs"], inputs))?.hasPrefix("inputs.") == true)
        let metrics: JSON = ["e\u{301}": 1, "\u{E9}": 2]
        #expect(Self.reason(try Self.edited(["metrics"], metrics))?.hasPrefix("metrics.") == true)
    }

    @Test("every truncation is refused")
    func truncated() throws {
        let bytes = try Self.minimal().encoded
        for count in 0..<bytes.count { #expect(Self.reason(Array(bytes[..<count])) != nil) }
    }
}
