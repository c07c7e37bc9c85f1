internal import Documents
internal import Storage

/// The lines of a file of any size, one after the other; empty ones are passed over.
struct RecordLines {
    /// The path of the file in the run.
    let path: String
    private let file: InputFile
    private var offset = 0
    private var buffer: ArraySlice<UInt8> = []
    private var number = 0

    private static let pieceSize = 1 << 20

    init(_ file: InputFile, path: String) {
        self.file = file
        self.path = path
    }

    /// The number of the next line, from 1, and its bytes, or nil instead of them when there are too
    /// many; nil at the end.
    mutating func next() throws(StorageError) -> (number: Int, line: [UInt8]?)? {
        var line: [UInt8] = []
        var isTooLong = false
        while true {
            if buffer.isEmpty {
                let count = min(Self.pieceSize, file.size - offset)
                if count == 0 {
                    if line.isEmpty, !isTooLong { return nil }
                    number += 1
                    return Self.isBlank(line) && !isTooLong ? nil : (number, isTooLong ? nil : line)
                }
                let bytes = try file.read(at: offset, count: count)
                buffer = (offset == 0 ? ByteOrderMark.skipped(bytes) : bytes)[...]
                offset += count
            }
            let end = buffer.firstIndex(of: 0x0A)
            if line.count + (end ?? buffer.endIndex) - buffer.startIndex > RawDocument.sizeLimit {
                isTooLong = true
                line = []
            }
            if !isTooLong { line += buffer[..<(end ?? buffer.endIndex)] }
            guard let end else {
                buffer = []
                continue
            }
            buffer = buffer[(end + 1)...]
            number += 1
            if isTooLong { return (number, nil) }
            if !Self.isBlank(line) { return (number, line) }
            line = []
        }
    }

    private static func isBlank(_ line: [UInt8]) -> Bool {
        line.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
    }
}
