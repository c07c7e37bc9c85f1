internal import Glibc

/// Waiting, for retries.
enum Sleep {
    static func milliseconds(_ count: Int) {
        let wanted = timespec(
            tv_sec: max(0, count) / 1000, tv_nsec: max(0, count) % 1000 * 1_000_000)
        var (rest, left) = (wanted, wanted)
        while nanosleep(&rest, &left) != 0, errno == EINTR { rest = left }
    }
}
