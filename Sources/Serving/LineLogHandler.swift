internal import Glibc
public import Logging
internal import Objects

/// Writes each event of a log as one line, as JSON or in logfmt, to standard error.
public struct LineLogHandler: LogHandler {
    /// The form of a line.
    public enum Form: String, Sendable, CaseIterable {
        /// A JSON object: `time`, `level`, `message`, and one member for each item of metadata.
        case json
        /// `key=value` pairs with the same keys.
        case logfmt
    }

    /// See `LogHandler`.
    public var metadata: Logger.Metadata = [:]
    /// See `LogHandler`.
    public var logLevel: Logger.Level
    /// See `LogHandler`.
    public var metadataProvider: Logger.MetadataProvider?
    private let form: Form
    private let write: @Sendable ([UInt8]) -> Void

    /// Makes a handler.
    ///
    /// - Parameter write: Writes a line, which ends with a line feed; nil for standard error.
    public init(
        form: Form = .json, level: Logger.Level = .info,
        write: (@Sendable ([UInt8]) -> Void)? = nil
    ) {
        self.form = form
        logLevel = level
        self.write = write ?? { line in _ = Glibc.write(2, line, line.count) }
    }

    /// See `LogHandler`.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// See `LogHandler`.
    public func log(event: LogEvent) {
        var items = metadata
        if let more = metadataProvider?.get() { items.merge(more) { $1 } }
        if let more = event.metadata { items.merge(more) { $1 } }
        if let error = event.error { items["error"] = "\(error)" }
        var members = [
            ("time", JSON.string(Self.now)), ("level", .string(event.level.rawValue)),
            ("message", .string(event.message.description)),
        ]
        members += items.sorted { $0.key < $1.key }.map { ($0.key, Self.json($0.value)) }
        var line = form == .json ? Self.jsonLine(members) : Self.logfmtLine(members)
        line.append(0x0A)
        write(line)
    }

    private static func jsonLine(_ members: [(String, JSON)]) -> [UInt8] {
        var line: [UInt8] = [0x7B]
        for (index, (key, value)) in members.enumerated() {
            if index > 0 { line.append(0x2C) }
            JSON.string(key).appendCanonical(to: &line)
            line.append(0x3A)
            value.appendCanonical(to: &line)
        }
        line.append(0x7D)
        return line
    }

    private static func logfmtLine(_ members: [(String, JSON)]) -> [UInt8] {
        var line: [UInt8] = []
        for (index, (key, value)) in members.enumerated() {
            if index > 0 { line.append(0x20) }
            line.append(contentsOf: key.utf8.map { isPlain($0) ? $0 : UInt8(ascii: "_") })
            line.append(UInt8(ascii: "="))
            if let text = value.string, !text.isEmpty, text.utf8.allSatisfy(isPlain) {
                line.append(contentsOf: text.utf8)
            } else {
                value.appendCanonical(to: &line)
            }
        }
        return line
    }

    /// Whether a byte needs no quotes in logfmt.
    private static func isPlain(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "=")
            && byte != UInt8(ascii: "\\")
    }

    private static func json(_ value: Logger.Metadata.Value) -> JSON {
        switch value {
        case .string(let text): .string(text)
        case .stringConvertible(let value):
            switch value {
            case let number as Int where number.magnitude <= JSON.largestInteger: .integer(number)
            case let number as Double where number.isFinite: .number(number)
            case let flag as Bool: .bool(flag)
            default: .string(value.description)
            }
        case .dictionary(let items): .object(JSONObject(items.map { ($0.key, json($0.value)) }))
        case .array(let items): .array(items.map(json))
        @unknown default: .string(value.description)
        }
    }

    /// The time in UTC, to the millisecond.
    private static var now: String {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        let milliseconds = time.tv_sec * 1000 + time.tv_nsec / 1_000_000
        return Timestamp(milliseconds: milliseconds)?.description ?? ""
    }
}
