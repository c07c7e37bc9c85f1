import Objects
import Refs
import Storage
import Testing

@Suite("Entries of the log")
struct LogEntryTests {
    private static let id = ObjectID(of: Array("x".utf8).span)
    private static let nonce = RandomBits(from: { 0x0f0f_0f0f_0f0f_0f0f })

    private func entry(_ actions: [Action], message: String = "why") throws -> LogEntry {
        LogEntry(
            number: 1, previous: Self.id, base: 0, time: epoch,
            writer: "ada@test", message: message, nonce: Self.nonce, actions: actions)
    }

    @Test("the bytes of an entry are as documented")
    func golden() throws {
        let bytes = try entry([
            .ref(try RefName("models/current"), old: nil, new: Self.id, since: nil),
            .pack(PackReference(name: Self.id, size: 100, indexOffset: 60)),
        ]).encoded
        // Written out by hand, and hashed with sha256sum.
        let hex = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
        let line =
            #"{"actions":[{"name":"models/current","new":""# + hex
            + #"","old":null,"since":null,"type":"ref"},{"index":60,"name":""# + hex
            + #"","size":100,"type":"pack"}],"base":0,"message":"why","n":1,"nonce":"#
            + #""0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f","prev":""# + hex
            + #"","requires":[],"time":"1970-01-01T00:00:00.000Z","writer":"ada@test"}"#
        let seal =
            #"{"sha256":"d096a1a204d59ab62cf80bb8236a593f6d2988e029c89544aa0ece851ece6a8b"}"#
        #expect(String(decoding: bytes, as: UTF8.self) == line + "\n" + seal + "\n")
    }

    @Test("an entry survives a round trip")
    func roundTrip() throws {
        let name = try RefName("models/current")
        let actions: [[Action]] = [
            [], [.ref(name, old: Self.id, new: nil, since: 0)], [.unpack(Self.id)],
            [.format(version: 1, repository: Self.nonce)],
            [.pack(PackReference(name: Self.id, size: 0, indexOffset: 0))],
        ]
        for actions in actions {
            let entry = try entry(actions, message: "a \"quoted\"\nline, \u{1F600}")
            #expect(try LogEntry(decoding: entry.encoded, number: 1) == entry)
        }
    }

    @Test("every change of one byte, and every truncation, is noticed")
    func flips() throws {
        let bytes = try entry([.unpack(Self.id)]).encoded
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 1
            #expect(refError { _ = try LogEntry(decoding: changed, number: 1) } != nil)
            #expect(
                refError { _ = try LogEntry(decoding: Array(bytes[..<index]), number: 1) } != nil)
        }
    }

    /// The bytes of a correctly sealed entry with this first line.
    private func sealed(_ line: String) -> [UInt8] {
        let hash = ObjectID(of: Array(line.utf8).span).hex
        return Array("\(line)\n{\"sha256\":\"\(hash)\"}\n".utf8)
    }

    private func line(_ original: String, _ replacement: String) throws -> String {
        let bytes = try entry([.unpack(Self.id)]).encoded
        let line = String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self)
        let parts = line.split(separator: original, omittingEmptySubsequences: false)
        #expect(parts.count == 2)
        return parts.joined(separator: replacement)
    }

    @Test(
        "a well-sealed entry with a wrong field is damaged, and the field is named",
        arguments: [
            (#""n":1"#, #""n":2"#, "n "), (#""base":0"#, #""base":1"#, "base"),
            (#""base":0"#, #""base":null"#, "base"), (#""nonce":"0f"#, #""nonce":"0g"#, "nonce"),
            (#""prev":"2d"#, #""prev":"2"#, "prev"), (#""type":"unpack""#, #""type":1"#, "type"),
            (#""writer":"ada@test""#, #""more":1,"writer":"ada@test""#, "canonical"),
            (#""n":1"#, #""n": 1"#, "canonical"), (#""n":1"#, #""n":1,"n":1"#, "repeated"),
            (#""time":"1970-01-01T"#, #""time":"1970-01-01 "#, "time"),
        ])
    func fields(_ original: String, _ replacement: String, _ named: String) throws {
        let bytes = sealed(try line(original, replacement))
        let error = refError { _ = try LogEntry(decoding: bytes, number: 1) }
        #expect(error?.fault == .damaged)
        #expect(error?.message.contains(named) == true, "\(error?.message ?? "")")
        #expect(error?.message.contains("log/00000000000000000001.json") == true)
    }

    @Test(
        "entries of a newer version are refused as such and never skipped",
        arguments: [
            (#""requires":[]"#, #""requires":["segments"]"#),
            (#""type":"unpack""#, #""type":"future""#),
        ])
    func newer(_ original: String, _ replacement: String) throws {
        let bytes = sealed(try line(original, replacement))
        let error = refError { _ = try LogEntry(decoding: bytes, number: 1) }
        #expect(error?.fault == .io)
        #expect(error?.message.contains("newer version of fti") == true)
    }

    @Test("limits are checked before anything is read")
    func limits() throws {
        let long = try entry([], message: String(repeating: "m", count: (64 << 10) + 1))
        #expect(refError { _ = try LogEntry(decoding: long.encoded, number: 1) }?.fault == .damaged)
        let big = [UInt8](repeating: 0x20, count: (1 << 20) + 1)
        #expect(refError { _ = try LogEntry(decoding: big, number: 1) }?.fault == .damaged)
        #expect(refError { _ = try LogEntry(decoding: [], number: 1) }?.fault == .damaged)
        let zeros = [UInt8](repeating: 0, count: 300)
        #expect(refError { _ = try LogEntry(decoding: zeros, number: 1) }?.fault == .damaged)
    }
}
