internal import Glibc
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

    /// The seconds that the processors have spent on this process.
    public static func processorSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// The process's resident memory in bytes: now, and at its peak.
    public static func memory() -> (now: Int, most: Int) {
        guard let file = fopen("/proc/self/status", "r") else { return (0, 0) }
        defer { fclose(file) }
        var text = [UInt8](repeating: 0, count: 1 << 14)
        let count = fread(&text, 1, text.count, file)
        func bytes(_ name: String) -> Int {
            let lines = String(decoding: text[..<count], as: UTF8.self).split(separator: "\n")
            let line = lines.first { $0.hasPrefix("\(name):") }
            return (line.flatMap { Int($0.filter(\.isNumber)) } ?? 0) << 10
        }
        return (bytes("VmRSS"), bytes("VmHWM"))
    }
}
