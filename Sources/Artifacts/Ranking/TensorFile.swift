internal import Objects

/// A safetensors file of single-precision numbers, written so that equal tensors give equal bytes: names
/// sorted, canonical header, padded with spaces to a multiple of eight.
struct TensorFile {
    struct Entry {
        let name: String
        let values: [Float]
    }

    let entries: [Entry]

    init(_ entries: [Entry]) {
        self.entries = entries.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    var encoded: [UInt8] {
        var header = JSONObject()
        var offset = 0
        for entry in entries {
            let end = offset + entry.values.count * 4
            header[entry.name] = [
                "dtype": "F32", "shape": [.integer(entry.values.count)],
                "data_offsets": [.integer(offset), .integer(end)],
            ]
            offset = end
        }
        var text = JSON.object(header).canonicalBytes
        while !text.count.isMultiple(of: 8) { text.append(0x20) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(8 + text.count + offset)
        for shift in stride(from: 0, to: 64, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: text.count >> shift))
        }
        bytes.append(contentsOf: text)
        for entry in entries {
            for value in entry.values {
                let bits = value.bitPattern
                bytes.append(UInt8(truncatingIfNeeded: bits))
                bytes.append(UInt8(truncatingIfNeeded: bits >> 8))
                bytes.append(UInt8(truncatingIfNeeded: bits >> 16))
                bytes.append(UInt8(truncatingIfNeeded: bits >> 24))
            }
        }
        return bytes
    }

    /// Reads the tensors of a file; each must be a list of finite F32 numbers.
    init(decoding bytes: [UInt8]) throws(SafetensorsError) {
        let prefix = bytes.span.extracting(first: min(8, bytes.count))
        let length = try Safetensors.headerLength(prefix: prefix, fileSize: bytes.count)
        let header = try Safetensors(
            header: bytes.span.extracting(8..<8 + length), fileSize: bytes.count)
        var entries: [Entry] = []
        for tensor in header.tensors {
            guard tensor.type == .float32, tensor.shape.count == 1 else { continue }
            var values: [Float] = []
            values.reserveCapacity(tensor.shape[0])
            for at in stride(from: tensor.range.lowerBound, to: tensor.range.upperBound, by: 4) {
                var bits: UInt32 = 0
                for index in (0..<4).reversed() { bits = bits << 8 | UInt32(bytes[at + index]) }
                values.append(Float(bitPattern: bits))
            }
            entries.append(Entry(name: tensor.name, values: values))
        }
        self.init(entries)
    }

    /// The finite numbers of a tensor with `count` of them, or nil.
    func values(_ name: String, count: Int) -> [Float]? {
        let entry = entries.first { $0.name.utf8.elementsEqual(name.utf8) }
        guard let values = entry?.values, values.count == count, values.allSatisfy(\.isFinite)
        else { return nil }
        return values
    }

    func has(_ name: String) -> Bool {
        entries.contains { $0.name.utf8.elementsEqual(name.utf8) }
    }
}
