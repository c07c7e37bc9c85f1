internal import Synchronization

/// The digest of a large object whose parts become known in any order, from any thread.
///
/// SHA-256 must see the parts in order, so it is fed by whichever thread finds it idle.
final class OrderedDigest: Sendable {
    private struct Part {
        let bytes: [UInt8]
        let count: Int
        let whenDone: @Sendable () -> Void
    }

    private struct Queue {
        var waiting: [Int: Part] = [:]
        /// How far the digest had come before each part that it was fed with, and after the last.
        var points = [ObjectHasher()]
        var isBusy = false
    }

    private let queue = Mutex(Queue())

    /// Adds the first `count` bytes as the part with a number; parts are numbered from 0 without gaps.
    ///
    /// - Parameter whenDone: Called, from any thread, when the bytes are needed no more.
    func add(
        _ bytes: [UInt8], count: Int, number: Int, whenDone: @escaping @Sendable () -> Void
    ) {
        let part = Part(bytes: bytes, count: count, whenDone: whenDone)
        queue.withLock { $0.waiting[number] = part }
        feed()
    }

    /// Feeds the digest with the parts that are next in order, unless another thread is at it.
    func feed() {
        let isMine = queue.withLock { queue in
            defer { queue.isBusy = true }
            return !queue.isBusy
        }
        guard isMine else { return }
        while true {
            let next: (Part, ObjectHasher)? = queue.withLock { queue in
                guard let part = queue.waiting.removeValue(forKey: queue.points.count - 1),
                    let hasher = queue.points.last
                else {
                    queue.isBusy = false
                    return nil
                }
                return (part, hasher)
            }
            guard let (part, before) = next else { return }
            var hasher = before
            let bytes = part.bytes
            hasher.update(bytes.span.extracting(0..<part.count))
            let point = hasher
            queue.withLock { $0.points.append(point) }
            part.whenDone()
        }
    }

    /// How far the digest had come before each part and after the last, once every part has been fed.
    var points: [ObjectHasher] { queue.withLock { $0.points } }
}
