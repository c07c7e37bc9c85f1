internal import Glibc

/// The metrics of the process that exporters have in common, under the names that dashboards know.
enum ProcessMetrics {
    /// Registers them; the process counts as started now.
    static func register(in metrics: Metrics) {
        let start = seconds(of: CLOCK_REALTIME)
        metrics.gauge(
            "process_start_time_seconds", "When the process started, in seconds since 1970."
        ) { [([], start)] }
        metrics.gauge(
            "process_resident_memory_bytes", "Memory of the process, with mapped files."
        ) { residentBytes.map { [([], Double($0))] } ?? [] }
        metrics.counter("process_cpu_seconds_total", "Processor time of the process.") {
            [([], seconds(of: CLOCK_PROCESS_CPUTIME_ID))]
        }
    }

    private static func seconds(of clock: clockid_t) -> Double {
        var time = timespec()
        clock_gettime(clock, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    /// The resident memory; nil where the kernel does not tell.
    private static var residentBytes: Int? {
        let file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = read(file, &buffer, buffer.count)
        let fields = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
            .split(separator: " ")
        guard fields.count > 1, let pages = Int(fields[1]) else { return nil }
        return pages * sysconf(Int32(_SC_PAGESIZE))
    }
}
