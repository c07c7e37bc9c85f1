internal import Objects
internal import Refs
internal import Storage

/// Reads the metrics file of a trainer while it grows: JSON Lines, each with a `step`, perhaps a `total`, and numbers.
///
/// The file is the trainer's, so its size, its lines and its names are bounded, and what is not usable is counted and
/// left out.
struct TrainerMetrics {
    /// The largest `step`.
    private(set) var step: Int?
    /// The last `total`.
    private(set) var total: Int?
    /// The first step of this run, and when it came: what the rate counts from.
    private(set) var first: (step: Int, moment: ContinuousClock.Instant)?
    /// The last value of each curve.
    private(set) var last: [String: Double] = [:]
    /// The values of `final`, which take precedence.
    private(set) var final: [String: Double] = [:]
    /// The number of lines.
    private(set) var lines = 0
    /// The number of lines or values that were left out, and the first reason.
    private(set) var ignored = (count: 0, reason: "")
    /// The number of bytes that were read.
    private(set) var size = 0

    private let path: String
    private var pending: [UInt8] = []
    /// Whether the rest of the current line is skipped, because it is too long.
    private var isSkipping = false
    private var kept: [[UInt8]] = []
    private var keptSize = 0
    /// Of how many lines one is kept.
    private var stride = 1
    private var newest: [UInt8]?

    /// The maximum number of bytes that are read.
    private static let byteLimit = 256 << 20
    /// The maximum number of bytes of a line.
    static let lineLimit = 64 << 10
    /// The maximum number of lines that are kept.
    static let keptLimit = 20_000
    /// The maximum number of bytes in the lines that are kept.
    private static let keptByteLimit = 16 << 20
    /// The maximum number of curves.
    static let curveLimit = 200
    private static let nameLimit = 100

    init(at path: String) { self.path = path }

    /// The metrics of the snapshot.
    var values: [String: Double] { last.merging(final) { $1 } }

    /// The lines that are kept, as canonical JSON; of very many, every second, fourth and so on, and the last.
    var keptLines: [UInt8] {
        var lines = kept
        if let newest, newest != kept.last { lines.append(newest) }
        return Array(lines.map { $0 + [0x0A] }.joined())
    }

    /// Reads what was appended since the last call; returns whether there was anything.
    ///
    /// - Parameter isAtEnd: Whether nobody writes any more, so that the last line needs no line feed.
    mutating func update(isAtEnd: Bool = false) -> Bool {
        var hasGrown = false
        // A file that is no regular file, or has become shorter, has nothing new.
        if let file = try? InputFile(opening: path) {
            while size < min(file.size, Self.byteLimit) {
                let count = min(file.size - size, 1 << 20)
                guard let bytes = try? file.read(at: size, count: count) else { break }
                size += bytes.count
                hasGrown = true
                add(bytes)
            }
            if file.size > Self.byteLimit { ignore("the file is longer than 256 MiB") }
        }
        if isAtEnd, !pending.isEmpty {
            add(line: pending)
            pending = []
        }
        return hasGrown
    }

    private mutating func add(_ bytes: [UInt8]) {
        for part in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).dropLast() {
            pending += part.prefix(Self.lineLimit + 1 - min(pending.count, Self.lineLimit + 1))
            add(line: pending)
            pending = []
        }
        let rest = bytes.suffix(from: bytes.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0)
        pending += rest.prefix(Self.lineLimit + 1 - min(pending.count, Self.lineLimit + 1))
    }

    private mutating func ignore(_ reason: String) {
        if ignored.count == 0 { ignored.reason = reason }
        ignored.count += 1
    }

    private mutating func add(line: [UInt8]) {
        guard line.contains(where: { ![0x20, 0x09, 0x0D].contains($0) }) else { return }
        lines += 1
        guard line.count <= Self.lineLimit else {
            return ignore("line \(lines) has more than \(Self.lineLimit >> 10) KiB")
        }
        guard let json = try? JSON(parsing: line.span, valueLimit: 10_000),
            let object = json.object
        else {
            return ignore("line \(lines) is not a JSON object (JSON has no NaN and no Infinity)")
        }
        // The line would be published with the model.
        guard Secrets.find(in: json) == nil else {
            return ignore("line \(lines) contains a likely secret key")
        }
        if let step = object["step"]?.integer, step >= 0 {
            self.step = max(step, self.step ?? 0)
            if first == nil { first = (step, .now) }
        }
        if let total = object["total"]?.integer, total > 0 { self.total = total }
        for member in object where !["step", "total", "final"].contains(member.key) {
            if let value = member.value.number { set(member.key, value, in: \.last) }
        }
        for member in object["final"]?.object ?? JSONObject() {
            if let value = member.value.number { set(member.key, value, in: \.final) }
        }
        keep(json.canonicalBytes)
    }

    private mutating func set(
        _ name: String, _ value: Double, in values: WritableKeyPath<Self, [String: Double]>
    ) {
        let isName =
            !name.isEmpty && name.utf8.count <= Self.nameLimit
            && name.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F }
        guard isName else {
            return ignore("a name in line \(lines) is empty, too long or has spaces")
        }
        guard value.isFinite else { return ignore("a number in line \(lines) is too large") }
        guard
            self[keyPath: values][name] != nil
                || self[keyPath: values].count < Self.curveLimit
        else { return ignore("there are more than \(Self.curveLimit) curves") }
        self[keyPath: values][name] = value
    }

    private mutating func keep(_ line: [UInt8]) {
        newest = line
        if (lines - 1) % stride == 0 {
            kept.append(line)
            keptSize += line.count
        }
        guard kept.count > Self.keptLimit || keptSize > Self.keptByteLimit else { return }
        stride *= 2
        kept = kept.enumerated().filter { $0.offset % 2 == 0 }.map(\.element)
        keptSize = kept.reduce(0) { $0 + $1.count }
    }

    /// The progress as a line for people: `step 4 of 12, loss 2.31, 1.3 steps/s, 6 s left`; nil without a step.
    func progress(at now: ContinuousClock.Instant = .now) -> String? {
        guard let step else { return nil }
        var parts = ["step \(step)" + (total.map { " of \($0)" } ?? "")]
        if let loss = last["loss"] { parts.append("loss \(Self.short(loss))") }
        if let first, step > first.step {
            let seconds = first.moment.duration(to: now) / .seconds(1)
            let rate = Double(step - first.step) / max(seconds, 0.001)
            parts.append("\(Self.short(rate)) steps/s")
            if let total, total > step {
                let left = Double(total - step) / rate
                parts.append("\(Self.time(left)) left")
            }
        }
        return parts.joined(separator: ", ")
    }

    /// A time as `45 s`, `12 min` or `3 h 5 min`.
    static func time(_ seconds: Double) -> String {
        let whole = Int(min(max(seconds, 0), 1e9).rounded())
        if whole < 120 { return "\(whole) s" }
        return whole < 7200 ? "\(whole / 60) min" : "\(whole / 3600) h \(whole / 60 % 60) min"
    }

    /// A number with about three digits.
    private static func short(_ value: Double) -> String {
        guard value.magnitude < 1e6 else { return "\(value)" }
        let digits = value.magnitude < 10 ? 100.0 : value.magnitude < 100 ? 10.0 : 1.0
        let rounded = (value * digits).rounded() / digits
        return digits == 1 ? "\(Int(rounded))" : "\(rounded)"
    }
}
