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
        var next = 0
        var isBusy = false
    }

    /// The digest itself; touched only by the thread that set `isBusy` in the queue.
    private final class Whole: @unchecked Sendable {
        private var hasher: ObjectHasher? = ObjectHasher()

        func update(_ bytes: Span<UInt8>) { hasher?.update(bytes) }

        func finalize() -> ObjectID? { hasher.take()?.finalize() }
    }

    private let queue = Mutex(Queue())
    private let whole = Whole()

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
            let next: Part? = queue.withLock { queue in
                guard let part = queue.waiting.removeValue(forKey: queue.next) else {
                    queue.isBusy = false
                    return nil
                }
                queue.next += 1
                return part
            }
            guard let part = next else { return }
            let bytes = part.bytes
            whole.update(bytes.span.extracting(0..<part.count))
            part.whenDone()
        }
    }

    /// The identity of the whole, once every part has been fed.
    func finalize() -> ObjectID {
        guard let id = whole.finalize() else {
            preconditionFailure("the digest is finished once, after all work has ended")
        }
        return id
    }
}
