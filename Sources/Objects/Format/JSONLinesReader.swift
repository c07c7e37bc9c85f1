/// Reads rows from JSON Lines: one JSON object a line, UTF-8.
///
/// Lines may end with CR LF, blank lines are skipped, and the last line may lack its end. Memory is one
/// line and one piece, whatever the size of the input.
public struct JSONLinesReader {
    /// The most bytes of a line: rows are far smaller, and a file that is no JSON Lines ends here rather
    /// than in memory.
    public static let lineLimit = 64 << 20

    /// Gives the next bytes of the input, or nil at its end.
    public typealias Pieces = () throws(ObjectError) -> [UInt8]?

    private let name: String
    private let pieces: Pieces
    private var parser: JSONLinesRowParser
    private var buffer: [UInt8] = []
    /// The bytes of the buffer before this were given out.
    private var start = 0
    private var isAtEnd = false

    /// The number, from 1, of the line that was read last; 0 before the first.
    public private(set) var line = 0

    /// The length of every vector: 0 without a vector field, nil while no row was read.
    public var dimension: Int? { parser.dimension }

    /// Begins to read.
    ///
    /// - Parameters:
    ///   - name: What errors call the input, such as the name of its file.
    ///   - keyFields: The members whose values, joined with `#`, are the key: strings or whole numbers. They
    ///     stay among the attributes.
    ///   - vectorField: The member that is the vector, a list of numbers; it leaves the attributes.
    ///   - pieces: Where the bytes come from.
    /// - Throws: `invalid` when no key field is given, or one is also the vector field.
    public init(
        name: String, keyFields: [String], vectorField: String? = nil, pieces: @escaping Pieces
    ) throws(ObjectError) {
        self.name = name
        self.pieces = pieces
        parser = try JSONLinesRowParser(keyFields: keyFields, vectorField: vectorField)
    }

    /// The next row, or nil at the end.
    ///
    /// - Throws: `invalid`, with the number of the line, when it is no JSON object or lacks what makes a row.
    public mutating func next() throws(ObjectError) -> TableRow? {
        while let range = try nextLine() {
            var parser = parser
            do throws(JSONError) {
                let row = try parser.row(buffer.span.extracting(range))
                self.parser = parser
                if let row { return row }
            } catch {
                throw invalid(error.reason, at: error.offset)
            }
        }
        return nil
    }

    /// What errors call a line.
    func place(ofLine number: Int) -> String { "\(name), line \(number)" }

    private func invalid(_ reason: String, at offset: Int = 0) -> ObjectError {
        let column = offset > 0 ? " (at byte \(offset + 1) of the line)" : ""
        return .invalid(what: place(ofLine: line), reason: reason + column)
    }

    /// Where the next line lies in the buffer, without its LF.
    private mutating func nextLine() throws(ObjectError) -> Range<Int>? {
        var searched = start
        while true {
            if let end = lineFeed(from: searched) {
                line += 1
                defer { start = end + 1 }
                try checkLength(end - start)
                return start..<end
            }
            if isAtEnd {
                guard start < buffer.count else { return nil }
                line += 1
                defer { start = buffer.count }
                try checkLength(buffer.count - start)
                return start..<buffer.count
            }
            // Only an unfinished line is moved, once for each piece.
            buffer.removeSubrange(..<start)
            start = 0
            searched = buffer.count
            if searched > Self.lineLimit {
                line += 1
                try checkLength(searched)
            }
            if let piece = try pieces() { buffer += piece } else { isAtEnd = true }
        }
    }

    private func checkLength(_ count: Int) throws(ObjectError) {
        guard count > Self.lineLimit else { return }
        throw invalid("the line has more than \(Self.lineLimit >> 20) MiB; is this JSON Lines?")
    }

    private func lineFeed(from offset: Int) -> Int? {
        let bytes = buffer.span
        var index = offset
        while index < bytes.count {
            if bytes[index] == 0x0A { return index }
            index += 1
        }
        return nil
    }
}
