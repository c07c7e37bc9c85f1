public import Objects

/// Times work with a monotonic clock.
public enum Measurement {
    /// Runs `work`; returns how many seconds it took, and its result.
    public static func seconds<Value>(_ work: () throws -> Value) rethrows -> (Double, Value) {
        let clock = ContinuousClock()
        let start = clock.now
        let value = try work()
        let (seconds, attoseconds) = (clock.now - start).components
        return (Double(seconds) + Double(attoseconds) / 1e18, value)
    }

    /// Prints one result as a line of JSON for `bench.py`.
    public static func emit(_ result: JSON) { print(result.canonicalText) }
}
