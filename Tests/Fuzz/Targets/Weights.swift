@testable internal import Objects
internal import Storage

/// A file that continues with zeros after its first bytes.
private struct SparseBlob: Blob {
    let beginning: [UInt8]
    let size: Int

    func read(at offset: Int, count: Int) throws(StorageError) -> [UInt8] {
        guard offset >= 0, count >= 0, count <= size - offset else {
            throw .truncated(path: "sparse", expected: offset, actual: size)
        }
        var bytes = Array(beginning.dropFirst(offset).prefix(count))
        bytes.append(contentsOf: repeatElement(0, count: count - bytes.count))
        return bytes
    }
}

extension FuzzTarget {
    /// Headers of safetensors, GGUF and NPY files: boundaries ascend within the file, and tensors fill it.
    ///
    /// The input is the number of zeros after the beginning of the file, in two bytes, and that beginning. If the
    /// first byte is odd, the target corrects the length of a safetensors header.
    static let weights = FuzzTarget(
        "weights",
        words: [
            "GGUF", "general.alignment", "\u{93}NUMPY", "\"dtype\":\"F32\"", "\"BF16\"",
            "\"shape\":[", "\"data_offsets\":[0,", "__metadata__", "{'descr': '<f4', ",
            "\0\0\0\0\0\0\0\u{1}", "4611686018427387904",
        ]
    ) { _ in
        seeds
    } run: { input throws(FuzzFinding) in
        guard input.count > 2 else { return }
        var beginning = Array(input.extracting(2..<input.count))
        let zeros = Int(input[0]) | Int(input[1]) << 8
        if input[0] & 1 == 1, beginning.count > 9,
            let end = beginning.dropFirst(8).lastIndex(of: 0x7D)
        {
            for index in 0..<8 { beginning[index] = UInt8((end - 7) >> (8 * index) & 0xFF) }
        }
        let blob = SparseBlob(beginning: beginning, size: beginning.count + zeros)
        var boundaries: [[Int]] = []
        do throws(ObjectError) {
            if let gguf = try GGUF(blob) { boundaries.append(gguf.boundaries) }
            if let array = try NPY(blob) { boundaries.append([array.dataOffset]) }
        } catch { throw FuzzFinding("a header reads beyond the file: \(error.message)") }
        for boundaries in boundaries { try check(boundaries, in: blob) }
        if let length = try? Safetensors.headerLength(prefix: beginning.span, fileSize: blob.size),
            8 + length <= beginning.count,
            let header = try? Safetensors(
                header: beginning.span.extracting(8..<8 + length), fileSize: blob.size)
        {
            try check(header.boundaries, in: blob)
            try FuzzFinding.unless(
                header.tensors.allSatisfy { $0.range.upperBound <= blob.size }
                    && header.tensors.reduce(header.dataOffset) { $0 + $1.range.count }
                        == blob.size,
                "tensors do not fill the file")
        }
        guard let plan = try? CutPlan.choose(for: blob) else {
            throw FuzzFinding("a file cannot be cut")
        }
        var offset = 0
        while offset < blob.size {
            guard let bytes = try? blob.read(at: offset, count: blob.size - offset) else { break }
            let cuts = plan.cuts(of: bytes.span, at: offset, size: blob.size, atLeast: 32 << 10)
            let length = cuts.reduce(0, +)
            try FuzzFinding.unless(
                cuts.allSatisfy { $0 > 0 } && length > 0 && offset + length <= blob.size,
                "pieces do not fill the file")
            offset += length
        }
    }

    private static func check(_ boundaries: [Int], in blob: SparseBlob) throws(FuzzFinding) {
        try FuzzFinding.unless(
            boundaries.allSatisfy { $0 > 0 && $0 < blob.size }
                && zip(boundaries, boundaries.dropFirst()).allSatisfy { $0 < $1 },
            "boundaries are out of order or outside the file")
    }

    private static var seeds: [[UInt8]] {
        let header = Array(
            ("{\"__metadata__\":{\"format\":\"pt\"},\"a\":{\"dtype\":\"F32\",\"shape\":[2,3],"
                + "\"data_offsets\":[0,24]},\"b\":{\"dtype\":\"BF16\",\"shape\":[4],"
                + "\"data_offsets\":[24,32]}}").utf8)
        func little(_ value: Int, _ count: Int) -> [UInt8] {
            (0..<count).map { UInt8(value >> (8 * $0) & 0xFF) }
        }
        func text(_ value: String) -> [UInt8] { little(value.utf8.count, 8) + Array(value.utf8) }
        let gguf =
            Array("GGUF".utf8) + little(3, 4) + little(2, 8) + little(3, 8)
            + text("general.alignment") + little(4, 4) + little(64, 4) + text("name")
            + little(8, 4) + text("x") + text("list") + little(9, 4) + little(8, 4) + little(2, 8)
            + text("a") + text("b") + text("w1") + little(2, 4) + little(4, 8) + little(8, 8)
            + little(0, 4) + little(0, 8) + text("w2") + little(1, 4) + little(16, 8) + little(0, 4)
            + little(128, 8)
        let npyHeader = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }   \n"
        let npy =
            [0x93] + Array("NUMPY".utf8) + [1, 0] + little(npyHeader.utf8.count, 2)
            + Array(npyHeader.utf8)
        return [
            [32, 0] + little(header.count, 8) + header, [33, 0] + little(header.count, 8) + header,
            [0, 2] + gguf, [48, 0] + npy,
        ]
    }
}
