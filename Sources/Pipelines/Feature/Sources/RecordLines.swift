internal import Documents
internal import Storage

/// Reads the lines of a file of any size; skips blank lines.
struct RecordLines {
    /// The path of the file in the run.
    let path: String
    /// The bytes of the line that ``next()`` returned last, without its line feed.
    private(set) var range = 0..<0
    /// Whether that line ends with a line feed; only the last line of a file may lack one.
    private(set) var isFinished = true
    private let file: InputFile
    private let sizeLimit: Int
    private var offset = 0
    private var buffer: ArraySlice<UInt8> = []
    private var number = 0

    private static let readSize = 1 << 20

    /// Begins before the first line.
    ///
    /// - Parameter sizeLimit: The maximum number of bytes of a line.
    init(_ file: InputFile, path: String, sizeLimit: Int = RawDocument.sizeLimit) {
        self.file = file
        self.path = path
        self.sizeLimit = sizeLimit
    }

    /// The next line and its number, from 1; the line is nil when it is too long. Nil at the end of the file.
    mutating func next() throws(StorageError) -> (number: Int, line: [UInt8]?)? {
        var line: [UInt8] = []
        var isTooLong = false
        while true {
            if buffer.isEmpty {
                let count = min(Self.readSize, file.size - offset)
                if count == 0 {
                    if line.isEmpty, !isTooLong { return nil }
                    number += 1
                    range = (offset - line.count)..<offset
                    isFinished = false
                    return Self.isBlank(line) && !isTooLong ? nil : (number, isTooLong ? nil : line)
                }
                let bytes = try file.read(at: offset, count: count)
                buffer = (offset == 0 ? ByteOrderMark.skipped(bytes) : bytes)[...]
                offset += count
            }
            let end = buffer.firstIndex(of: 0x0A)
            if line.count + (end ?? buffer.endIndex) - buffer.startIndex > sizeLimit {
                isTooLong = true
                line = []
            }
            if !isTooLong { line += buffer[..<(end ?? buffer.endIndex)] }
            guard let end else {
                buffer = []
                continue
            }
            let after = offset - (buffer.endIndex - end)
            range = (after - line.count)..<after
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
