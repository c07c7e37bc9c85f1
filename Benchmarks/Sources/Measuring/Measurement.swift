public import Objects

/// Times work by the clock that never runs backwards.
public enum Measurement {
    /// The seconds that work takes, and what it gives.
    public static func seconds<Value>(_ work: () throws -> Value) rethrows -> (Double, Value) {
        let clock = ContinuousClock()
        let start = clock.now
        let value = try work()
        let (seconds, attoseconds) = (clock.now - start).components
        return (Double(seconds) + Double(attoseconds) / 1e18, value)
    }

    /// Prints one result as a line of JSON, which the program that called reads.
    public static func emit(_ result: JSON) { print(result.canonicalText) }
}
