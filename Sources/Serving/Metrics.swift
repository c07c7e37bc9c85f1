internal import Synchronization

/// Counters, gauges and histograms, which ``text`` shows in the text format of Prometheus (version 0.0.4).
///
/// A metric has a fixed list of labels. Values of labels must come from a small set; from the thousandth combination
/// on, all values of a metric are counted together under `other`, so no client can use up memory.
///
/// Parts of a service that exist more than once register the same metric, and keep apart by a label.
public final class Metrics: Sendable {
    private let families = Mutex<[any MetricFamily]>([])

    /// No metrics.
    public init() {}

    /// Registers a value that only grows; its name should end in `_total`.
    public func counter(_ name: String, _ help: String, labels: [String] = []) -> Counter {
        Counter(series: register(MetricSeries(name, help, "counter", labels)))
    }

    /// Registers a value that is set.
    public func gauge(_ name: String, _ help: String, labels: [String] = []) -> Gauge {
        Gauge(series: register(MetricSeries(name, help, "gauge", labels)))
    }

    /// Registers values that are computed whenever the metrics are read.
    ///
    /// - Parameter read: Returns the values of the labels and the value of each combination.
    public func gauge(
        _ name: String, _ help: String, labels: [String] = [],
        read: @escaping @Sendable () -> [([String], Double)]
    ) {
        register(ComputedMetric(MetricName(name, help, "gauge", labels), read))
    }

    /// Registers values that only grow and are computed whenever the metrics are read.
    public func counter(
        _ name: String, _ help: String, labels: [String] = [],
        read: @escaping @Sendable () -> [([String], Double)]
    ) {
        register(ComputedMetric(MetricName(name, help, "counter", labels), read))
    }

    /// Registers a distribution.
    ///
    /// - Parameter buckets: The upper bounds, ascending; a last bucket without bound is added.
    public func histogram(
        _ name: String, _ help: String, labels: [String] = [],
        buckets: [Double] = Histogram.seconds
    ) -> Histogram {
        Histogram(family: register(HistogramFamily(name, help, labels, buckets)))
    }

    /// All metrics in the text format, in the order in which they were registered.
    public var text: String {
        families.withLock { $0 }.reduce(into: "") { text, family in family.write(to: &text) }
    }

    /// Adds a metric; one that is registered already takes what the new one computes.
    @discardableResult
    private func register<Family: MetricFamily>(_ family: Family) -> Family {
        families.withLock { families in
            guard let known = families.first(where: { $0.metric.name == family.metric.name }) else {
                families.append(family)
                return family
            }
            guard let same = known as? Family, same.metric.labels == family.metric.labels else {
                preconditionFailure("\(family.metric.name) is registered with other labels")
            }
            same.join(family)
            return same
        }
    }

    /// A value that only grows.
    public struct Counter: Sendable {
        fileprivate let series: MetricSeries

        /// Adds to the value with these labels.
        public func add(_ amount: Double = 1, _ labels: String...) {
            series.update(labels) { $0 += amount }
        }

        /// Adds to the value with these labels.
        public func add(_ amount: Int, _ labels: String...) {
            series.update(labels) { $0 += Double(amount) }
        }
    }

    /// A value that is set.
    public struct Gauge: Sendable {
        fileprivate let series: MetricSeries

        /// Sets the value with these labels.
        public func set(_ value: Double, _ labels: String...) {
            series.update(labels) { $0 = value }
        }

        /// Adds to the value with these labels.
        public func add(_ amount: Double, _ labels: String...) {
            series.update(labels) { $0 += amount }
        }
    }

    /// A distribution of values.
    public struct Histogram: Sendable {
        fileprivate let family: HistogramFamily

        /// Bounds for latencies in seconds, from half a millisecond to two minutes.
        public static let seconds = [
            0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30,
            60, 120,
        ]

        /// Counts a value under these labels.
        public func observe(_ value: Double, _ labels: String...) { family.observe(value, labels) }

        /// Counts a duration in seconds under these labels.
        public func observe(_ duration: Duration, _ labels: String...) {
            family.observe(duration.inSeconds, labels)
        }
    }
}

extension Duration {
    /// The duration in seconds.
    var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}
