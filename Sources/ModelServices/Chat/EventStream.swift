/// An event of a stream of server-sent events.
struct ServerEvent: Equatable {
    /// The type; `message` where the stream names none.
    var name = "message"
    /// The data; lines are separated by line feeds.
    var data: [UInt8] = []
}

/// Parses a stream of server-sent events (WHATWG HTML, section 9.2) that arrives in parts, split anywhere.
///
/// Differs from the standard in one point: an event that the end of the stream cuts off before its empty line counts,
/// because some services omit that line.
struct EventStream {
    /// A line or an event is longer than the limit.
    struct TooLong: Error {
        let limit: Int
    }

    private let limit: Int
    private var line: [UInt8] = []
    private var event = ServerEvent()
    private var hasData = false
    private var size = 0
    private var endsWithReturn = false
    private var isAtStart = true

    /// Starts at the beginning of a stream.
    ///
    /// - Parameter limit: The most bytes of a line, and of the data of an event.
    init(limit: Int) { self.limit = limit }

    /// Takes a part of the stream, and passes on the events that it completes.
    ///
    /// - Parameter take: Returns whether it needs more events.
    /// - Returns: The last result of `take`; true without an event.
    mutating func feed(
        _ bytes: [UInt8], _ take: (ServerEvent) -> Bool
    ) throws(TooLong) -> Bool {
        for byte in bytes {
            // CR LF ends one line, not two.
            let isSecond = endsWithReturn && byte == 0x0A
            endsWithReturn = byte == 0x0D
            guard !isSecond else { continue }
            guard byte == 0x0A || byte == 0x0D else {
                guard line.count < limit else { throw TooLong(limit: limit) }
                line.append(byte)
                continue
            }
            guard let event = try endLine() else { continue }
            guard take(event) else { return false }
        }
        return true
    }

    /// Ends the stream, and returns the event that its end completes.
    mutating func finish() throws(TooLong) -> ServerEvent? {
        if !line.isEmpty, let event = try endLine() { return event }
        return endEvent()
    }

    private mutating func endLine() throws(TooLong) -> ServerEvent? {
        defer { line.removeAll(keepingCapacity: true) }
        var content = line[...]
        if isAtStart, content.starts(with: [0xEF, 0xBB, 0xBF]) { content = content.dropFirst(3) }
        isAtStart = false
        if content.isEmpty { return endEvent() }
        let colon = content.firstIndex(of: UInt8(ascii: ":")) ?? content.endIndex
        let field = content[..<colon]
        var value = content[colon...].dropFirst()
        if value.first == 0x20 { value = value.dropFirst() }
        if field.elementsEqual("data".utf8) {
            size += value.count + 1
            guard size <= limit else { throw TooLong(limit: limit) }
            if hasData { event.data.append(0x0A) }
            event.data += value
            hasData = true
        } else if field.elementsEqual("event".utf8) {
            event.name = String(decoding: value, as: UTF8.self)
        }
        // A line that begins with a colon is a comment. Ids and times of reconnection do not matter here.
        return nil
    }

    private mutating func endEvent() -> ServerEvent? {
        defer {
            event = ServerEvent()
            hasData = false
            size = 0
        }
        return hasData ? event : nil
    }
}
