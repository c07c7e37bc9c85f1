internal import Objects
@testable internal import Refs
internal import Storage

/// Bytes, read like a file.
private struct BytesBlob: Blob {
    let bytes: [UInt8]

    var size: Int { bytes.count }

    func read(at offset: Int, count: Int) throws(StorageError) -> [UInt8] {
        guard offset >= 0, count >= 0, count <= bytes.count - offset else {
            throw .truncated(path: "bytes", expected: offset, actual: bytes.count)
        }
        return Array(bytes[offset..<offset + count])
    }
}

extension FuzzTarget {
    /// Segments: an accepted one encodes to the same bytes, and an entry read alone equals the same entry of the
    /// whole segment. Names of log files have one spelling.
    ///
    /// The first byte of the input selects how to read the rest: as a segment, as entries whose lengths are the first
    /// 64 bytes, or as a file name.
    static let segments = FuzzTarget(
        "segments",
        words: [
            "0000000000\n", "0000000001\n", "00000000000000000064", "-00000000000000000127.segment",
            "-00000000000000001023.segment", ".signed.json", "9999999999\n",
        ]
    ) { example in
        let entries = (0..<64).map { [0x61 + UInt8($0 % 26), 0x0A] }
        let name = SegmentName(of: 64, holding: 64)
        return [[0] + Segment.encode(entries)]
            + [1, 2].map {
                [$0] + (0..<64).map { UInt8($0 % 5 + 1) } + Array(repeating: 7, count: 900)
            }
            + [LogFile.entry(7), name.blob].map { [3] + Array($0.name.utf8) }
            + [
                [3]
                    + Array(
                        CheckpointName(number: 3, hash: .init(of: [1].span), isSigned: true).text
                            .utf8)
            ]
    } run: { input throws(FuzzFinding) in
        guard input.count > 1 else { return }
        let rest = Array(input.extracting(1..<input.count))
        switch input[0] % 4 {
        case 3: try checkNames(String(decoding: rest, as: UTF8.self))
        case 0: try check(rest, SegmentName(of: 64, holding: 64))
        case let kind:
            guard rest.count > 64 else { return }
            let name = SegmentName(of: kind == 1 ? 64 : 1024, holding: 1024)
            var entries: [[UInt8]] = []
            var at = 64
            for index in 0..<name.count {
                let end = min(rest.count, at + Int(rest[index % 64]))
                entries.append(Array(rest[at..<end]))
                at = end
            }
            try check(Segment.encode(entries), name)
        }
    }

    private static func check(_ bytes: [UInt8], _ name: SegmentName) throws(FuzzFinding) {
        let blob = BytesBlob(bytes: bytes)
        guard let segment = try? Segment(bytes, name: name) else {
            // Damage elsewhere in the index does not prevent reading an entry.
            for number in [name.first, name.last] {
                _ = try? Segment.file(of: number, in: blob, name)
            }
            return
        }
        let files = name.numbers.map { segment.file(of: $0) }
        try FuzzFinding.unless(
            files.allSatisfy { !$0.isEmpty } && Segment.encode(files) == bytes,
            "a segment has two encodings")
        for (number, file) in zip(name.numbers, files) {
            guard let alone = try? Segment.file(of: number, in: blob, name) else {
                throw FuzzFinding("entry \(number) of a segment cannot be read alone")
            }
            try FuzzFinding.unless(alone == file, "entry \(number) read alone differs")
        }
    }

    private static func checkNames(_ text: String) throws(FuzzFinding) {
        var names: [BlobName] = []
        if let number = LogFile.number(ofEntry: text) { names.append(LogFile.entry(number)) }
        if let segment = SegmentName(text) { names.append(segment.blob) }
        if let checkpoint = CheckpointName(text) { names.append(checkpoint.blob) }
        try FuzzFinding.unless(
            names.count < 2 && names.allSatisfy { $0.name.utf8.elementsEqual(text.utf8) },
            "the name of a log file has two spellings")
    }
}
