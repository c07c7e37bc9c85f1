internal import Synchronization

/// The name, the help text, the type and the labels of a metric.
struct MetricName: Sendable {
    let name: String
    let labels: [String]
    private let head: String

    init(_ name: String, _ help: String, _ type: String, _ labels: [String]) {
        precondition(Self.isName(name, mayHaveColon: true), "\(name) is the name of a metric")
        for label in labels {
            precondition(
                Self.isName(label, mayHaveColon: false) && !label.hasPrefix("__") && label != "le",
                "\(label) is the name of a label")
        }
        self.name = name
        self.labels = labels
        let help = help.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
        head = "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
    }

    private static func isName(_ text: String, mayHaveColon: Bool) -> Bool {
        guard let first = text.utf8.first, !(0x30...0x39).contains(first) else { return false }
        return text.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F: true
            case 0x3A: mayHaveColon
            default: false
            }
        }
    }

    func writeHead(to text: inout String) { text += head }

    func write(
        _ value: Double, _ values: [String], suffix: String = "", bound: String? = nil,
        to text: inout String
    ) {
        text += name
        text += suffix
        var pairs = zip(labels, values).map { "\($0)=\"\(Self.escaped($1))\"" }
        if let bound { pairs.append("le=\"\(bound)\"") }
        if !pairs.isEmpty { text += "{\(pairs.joined(separator: ","))}" }
        text += " \(Self.text(value))\n"
    }

    static func escaped(_ value: String) -> String {
        var text = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    static func text(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if let whole = Int(exactly: value), whole.magnitude < 1 << 53 { return String(whole) }
        return "\(value)"
    }
}

/// What ``Metrics`` shows: one metric with all combinations of its labels.
protocol MetricFamily: Sendable {
    var metric: MetricName { get }
    func write(to text: inout String)
    /// Takes over what another registration of the same metric computes.
    func join(_ other: Self)
}

extension MetricFamily {
    func join(_ other: Self) {}
}

/// The values of one metric, by their labels.
private struct BoundedSeries<Value: Sendable>: Sendable {
    private(set) var values: [[String]: Value] = [:]

    /// The number of combinations that are kept apart.
    static var limit: Int { 1000 }

    mutating func update(
        _ labels: [String], default empty: Value, _ change: (inout Value) -> Void
    ) {
        var key = labels
        if values[key] == nil, values.count >= Self.limit {
            key = labels.map { _ in "other" }
        }
        change(&values[key, default: empty])
    }

    var sorted: [(labels: [String], value: Value)] {
        values.map { ($0.key, $0.value) }.sorted { $0.0.lexicographicallyPrecedes($1.0) }
    }
}

/// A counter or a gauge.
final class MetricSeries: MetricFamily {
    let metric: MetricName
    private let series: Mutex<BoundedSeries<Double>>

    init(_ name: String, _ help: String, _ type: String, _ labels: [String]) {
        metric = MetricName(name, help, type, labels)
        var series = BoundedSeries<Double>()
        // A metric without labels is shown from the start, so that a rate over its first change is right.
        if labels.isEmpty { series.update([], default: 0) { _ in } }
        self.series = Mutex(series)
    }

    func update(_ labels: [String], _ change: (inout Double) -> Void) {
        precondition(labels.count == metric.labels.count, "\(metric.name): one value a label")
        series.withLock { $0.update(labels, default: 0, change) }
    }

    func write(to text: inout String) {
        metric.writeHead(to: &text)
        for (labels, value) in series.withLock({ $0.sorted }) {
            metric.write(value, labels, to: &text)
        }
    }
}

/// A gauge that is computed when it is read.
final class ComputedMetric: MetricFamily {
    typealias Read = @Sendable () -> [([String], Double)]

    let metric: MetricName
    private let reads: Mutex<[Read]>

    init(_ metric: MetricName, _ read: @escaping Read) {
        self.metric = metric
        reads = Mutex([read])
    }

    func join(_ other: ComputedMetric) {
        let more = other.reads.withLock { $0 }
        reads.withLock { $0 += more }
    }

    func write(to text: inout String) {
        metric.writeHead(to: &text)
        for read in reads.withLock({ $0 }) {
            for (labels, value) in read() { metric.write(value, labels, to: &text) }
        }
    }
}

/// A histogram.
final class HistogramFamily: MetricFamily {
    private struct Counts: Sendable {
        var counts: [Int]
        var sum = 0.0
    }

    let metric: MetricName
    private let bounds: [Double]
    private let series = Mutex(BoundedSeries<Counts>())

    init(_ name: String, _ help: String, _ labels: [String], _ bounds: [Double]) {
        precondition(
            zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 }, "\(name): bounds ascend")
        metric = MetricName(name, help, "histogram", labels)
        self.bounds = bounds
    }

    func observe(_ value: Double, _ labels: [String]) {
        precondition(labels.count == metric.labels.count, "\(metric.name): one value a label")
        let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
        let empty = Counts(counts: Array(repeating: 0, count: bounds.count + 1))
        series.withLock { series in
            series.update(labels, default: empty) { counts in
                counts.counts[bucket] += 1
                counts.sum += value
            }
        }
    }

    func write(to text: inout String) {
        metric.writeHead(to: &text)
        for (labels, counts) in series.withLock({ $0.sorted }) {
            var count = 0
            for (index, inBucket) in counts.counts.enumerated() {
                count += inBucket
                let bound = index < bounds.count ? MetricName.text(bounds[index]) : "+Inf"
                metric.write(Double(count), labels, suffix: "_bucket", bound: bound, to: &text)
            }
            metric.write(counts.sum, labels, suffix: "_sum", to: &text)
            metric.write(Double(count), labels, suffix: "_count", to: &text)
        }
    }
}
