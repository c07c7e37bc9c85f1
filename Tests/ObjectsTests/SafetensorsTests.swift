@testable import FileFormats
import Objects
import Testing

@Suite("Safetensors")
struct SafetensorsTests {
    private func parse(_ header: String, data: Int) throws(SafetensorsError) -> Safetensors {
        let text = Array(header.utf8)
        return try Safetensors(header: text.span, fileSize: 8 + text.count + data)
    }

    private func file(_ header: String, _ data: [UInt8]) -> [UInt8] {
        let text = Array(header.utf8)
        let length = (0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) }
        return length + text + data
    }

    @Test("tensors are read in the order of their bytes")
    func valid() throws {
        let header =
            #"{"b":{"dtype":"BF16","shape":[2,2],"data_offsets":[4,12]},"# + "\n"
            + #""a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"#
            + #""none":{"dtype":"I64","shape":[0,7],"data_offsets":[12,12]},"#
            + #""__metadata__":{"format":"pt"}}   "#
        let weights = try parse(header, data: 12)
        #expect(weights.tensors.map(\.name) == ["a", "b", "none"])
        #expect(weights.tensors[1].shape == [2, 2])
        #expect(weights.tensors[1].shapeDescription == "[2, 2]")
        #expect(weights.tensors[0].range == weights.dataOffset..<weights.dataOffset + 4)
        #expect(weights.boundaries == [weights.dataOffset, weights.dataOffset + 4])
        #expect(weights.metadata == ["format": "pt"])
        #expect(try parse("{}", data: 0).tensors.isEmpty)
    }

    @Test(
        "a header that does not describe every byte once is refused",
        arguments: [
            (#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#, 5),
            (#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[1,5]}}"#, 5),
            (#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#, 3),
            (
                #"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"#
                    + #""b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}}"#, 6
            ),
            (#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[4,0]}}"#, 4),
            (#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[-4,0]}}"#, 4),
            (#"{"a":{"dtype":"U8","shape":[5],"data_offsets":[0,4]}}"#, 4),
            (#"{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,4]}}"#, 4),
            (
                #"{"a":{"dtype":"U8","shape":[4294967296,4294967296,4],"data_offsets":[0,0]}}"#, 0
            ),
            (
                #"{"a":{"dtype":"F64","shape":[9007199254740992,9007199254740992],"data_offsets":[0,0]}}"#,
                0
            ),
            (#"{"a":{"dtype":"U8","shape":[1.5],"data_offsets":[0,1]}}"#, 1),
            (#"{"a":{"dtype":"U8","shape":[1]}}"#, 0), (#"{"a":7}"#, 0), ("[]", 0), ("", 0),
            ("{", 0), (#"{"__metadata__":{"a":1}}"#, 0), (#"{"__metadata__":[]}"#, 0),
            (#"{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,2]}}"#, 2),
        ])
    func invalid(header: String, data: Int) {
        #expect(throws: SafetensorsError.self) { try parse(header, data: data) }
    }

    @Test("a header longer than the file, or than any header may be, is refused before it is read")
    func lengths() {
        let cases: [[UInt8]] = [
            [], [1, 2, 3], .init(repeating: 0xFF, count: 8), [0, 0, 0, 0, 0, 0, 0, 0x80],
            [1, 0xE1, 0xF5, 5, 0, 0, 0, 0], [9, 0, 0, 0, 0, 0, 0, 0],
        ]
        for prefix in cases {
            #expect(throws: SafetensorsError.self) {
                try Safetensors.headerLength(prefix: prefix.span, fileSize: 16)
            }
        }
        #expect(throws: Never.self) {
            try Safetensors.headerLength(prefix: [8, 0, 0, 0, 0, 0, 0, 0].span, fileSize: 16)
        }
    }

    @Test("any change of one byte of a file gives a header or an error, and nothing else")
    func mutations() {
        let header =
            #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"#
            + #""b":{"dtype":"U8","shape":[2,1],"data_offsets":[4,6]}}"#
        let bytes = file(header, [0, 0, 128, 63, 1, 2])
        var accepted = 0
        for index in bytes.indices {
            for value: UInt8 in [0, 0x22, 0x2C, 0x39, 0x7D, 0xFF] {
                var changed = bytes
                changed[index] = value
                guard
                    let length = try? Safetensors.headerLength(
                        prefix: changed.span, fileSize: changed.count)
                else { continue }
                let text = Array(changed[8..<8 + length])
                let result = try? Safetensors(header: text.span, fileSize: changed.count)
                if let result {
                    accepted += 1
                    #expect(result.tensors.allSatisfy { $0.range.upperBound <= bytes.count })
                }
            }
        }
        #expect(accepted > 0 && accepted < 6 * bytes.count)
    }

    @Test("relative change is measured for each number type")
    func differences() throws {
        // 2 and then 3 in each type: a change of one half.
        let numbers: [(ElementType, [UInt8], [UInt8])] = [
            (.float32, [0, 0, 0, 0x40], [0, 0, 0x40, 0x40]), (.bfloat16, [0, 0x40], [0x40, 0x40]),
            (.float16, [0, 0x40], [0, 0x42]), (.float8E4M3, [0x40], [0x44]),
            (.float8E5M2, [0x40], [0x42]),
            (.float8E4M3FNUZ, [0x48], [0x4C]), (.float8E5M2FNUZ, [0x44], [0x46]), (.int8, [2], [3]),
            (.uint8, [2], [3]),
            (.int16, [2, 0], [3, 0]), (.int32, [2, 0, 0, 0], [3, 0, 0, 0]),
            (.int64, [2, 0, 0, 0, 0, 0, 0, 0], [3, 0, 0, 0, 0, 0, 0, 0]),
            (.float64, [0, 0, 0, 0, 0, 0, 0, 0x40], [0, 0, 0, 0, 0, 0, 8, 0x40]),
        ]
        let store = MemoryStore()
        for (type, before, after) in numbers {
            func stored(_ data: [UInt8]) throws -> (ObjectID, Safetensors) {
                let header =
                    #"{"t":{"dtype":"\#(type.rawValue)","shape":[1],"#
                    + #""data_offsets":[0,\#(data.count)]}}"#
                let id = try store.write(file(header, data), hint: .bulk)
                return (id, try Safetensors.read(id, in: store).get())
            }
            let (left, first) = try stored(before)
            let (right, second) = try stored(after)
            var diff = TensorDiff(
                before: left, first.tensors, after: right, second.tensors, in: store)
            let change = try #require(try diff.next())
            #expect(change.relativeChange == 0.5, "\(type)")
            #expect(try diff.next() == nil)
            var same = TensorDiff(
                before: left, first.tensors, after: left, first.tensors, in: store)
            #expect(try same.next() == nil)
            #expect(same.unchanged == 1)
        }
    }

    @Test("a change from zeros, or with numbers that are not finite, has no relative size")
    func noRatio() throws {
        let store = MemoryStore()
        func stored(_ data: [UInt8]) throws -> (ObjectID, Safetensors) {
            let header = #"{"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#
            let id = try store.write(file(header, data), hint: .bulk)
            return (id, try Safetensors.read(id, in: store).get())
        }
        let (zero, first) = try stored([0, 0, 0, 0])
        let (nan, second) = try stored([0, 0, 0xC0, 0x7F])
        for (a, b) in [((zero, first), (nan, second)), ((nan, second), (zero, first))] {
            var diff = TensorDiff(
                before: a.0, a.1.tensors, after: b.0, b.1.tensors, in: store)
            let change = try #require(try diff.next())
            #expect(change.relativeChange == nil)
            #expect(change.nan.before + change.nan.after == 1)
            #expect(change.infinite.before + change.infinite.after == 0)
        }
    }

    /// The verdict of the Python package `safetensors` 0.8 on headers for one byte of data.
    @Test(
        "unknown members are skipped, as in the reference implementation",
        arguments: [
            (#"{"__metadata__":null,T}"#, true), (#"{T,"x":1}"#, false),
            (#"{"a":{F,"x":{"y":[1]}}}"#, true), (#"{"a":{F,"x":1,"x":2}}"#, true),
            (#"{"a":{"dtype":"U8",F}}"#, false), ("{T,T}", true),
            (#"{"__metadata__":{},"__metadata__":{},T}"#, false),
            (#"{"__metadata__":{"a":"1","a":"2"},T}"#, true),
            (#"{"__metadata__":{"a":1},T}"#, false), (#"{"__metadata__":[],T}"#, false),
            (#"{"__metadata__":{"a":null},T}"#, false),
            (#"{"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}}"#, false),
            (#"{"a":{"dtype":"U8","shape":[1e0],"data_offsets":[0,1]}}"#, false),
            (#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[-0,1]}}"#, false),
            (#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,2]}}"#, false),
            (#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0]}}"#, false),
            (#"{"a":["U8",[1],[0,1]]}"#, true), (#"{"a":["U8",[1],[0,1],7]}"#, false),
            (#"{"a":null}"#, false), (" {T}", true), ("{T}  \n", true), ("{T}\0", false),
            ("\u{FEFF}{T}", false), (#"{"":{F}}"#, true), (#"{"\ud800":{F}}"#, false),
            (#"{"a":{F,"x":12345678901234567890123}}"#, true), (#"{"a":{F,"x":1e999}}"#, false),
            (
                #"{"b":{"dtype":"F32","shape":[0,4611686018427387904,8],"data_offsets":[0,0]},T}"#,
                true
            ),
            (
                #"{"b":{"dtype":"F32","shape":[4611686018427387904,8,0],"data_offsets":[0,0]},T}"#,
                false
            ),
        ])
    func reference(header: String, isValid: Bool) {
        let fields = #""dtype":"U8","shape":[1],"data_offsets":[0,1]"#
        let text = header.replacing("T", with: "\"a\":{F}").replacing("F,", with: fields + ",")
            .replacing("F}", with: fields + "}")
        #expect(((try? parse(text, data: 1)) != nil) == isValid, "\(text)")
    }

    @Test("unknown members may be nested as deep as the reference reads, and no deeper")
    func depth() {
        func header(_ depth: Int) -> String {
            let lists = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
            return #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":\#(lists)}}"#
        }
        #expect((try? parse(header(100), data: 1)) != nil)
        #expect((try? parse(header(130), data: 1)) == nil)
        #expect((try? parse(header(100_000), data: 1)) == nil)
    }

    @Test("an unknown type is shown under its own name and compared as bytes")
    func unknownType() throws {
        let store = MemoryStore()
        func stored(_ data: [UInt8]) throws -> (ObjectID, Safetensors) {
            let header =
                #"{"a":{"dtype":"F4_E9","shape":[9007199254740993],"data_offsets":[0,2]},"#
                + #""b":{"dtype":"F8_E4M3FNUZ","shape":[1],"data_offsets":[2,3]}}"#
            let id = try store.write(file(header, data), hint: .bulk)
            return (id, try Safetensors.read(id, in: store).get())
        }
        let (left, first) = try stored([1, 2, 0x40])
        let (right, second) = try stored([1, 3, 0x44])
        #expect(first.tensors.map(\.dtype) == ["F4_E9", "F8_E4M3FNUZ"])
        #expect(first.boundaries == [first.dataOffset, first.dataOffset + 2])
        var diff = TensorDiff(
            before: left, first.tensors, after: right, second.tensors, in: store)
        let unknown = try #require(try diff.next())
        #expect(unknown.name == "a")
        #expect(unknown.relativeChange == nil)
        #expect(try diff.next()?.relativeChange == 0.5)
        var same = TensorDiff(before: left, first.tensors, after: left, first.tensors, in: store)
        #expect(try same.next() == nil)
        #expect(same.unchanged == 2)
    }

    @Test("NaN is counted, not measured", arguments: ["F8_E4M3FNUZ", "F8_E5M2FNUZ"])
    func noNumbers(type: String) throws {
        let store = MemoryStore()
        func stored(_ data: [UInt8]) throws -> (ObjectID, Safetensors) {
            let header = #"{"t":{"dtype":"\#(type)","shape":[3],"data_offsets":[0,3]}}"#
            let id = try store.write(file(header, data), hint: .bulk)
            return (id, try Safetensors.read(id, in: store).get())
        }
        let (left, first) = try stored([0x40, 0x80, 0x41])
        let (right, second) = try stored([0x80, 0x80, 0x42])
        var diff = TensorDiff(
            before: left, first.tensors, after: right, second.tensors, in: store)
        let change = try #require(try diff.next())
        #expect(change.nan.before == 1)
        #expect(change.nan.after == 2)
        #expect(change.relativeChange == nil)
    }
}
