import Foundation
import Synchronization

/// Runs work on several threads at once, and waits until all of them are done.
package func onThreads(_ count: Int, _ work: @escaping @Sendable (_ thread: Int) -> Void) {
    let group = DispatchGroup()
    for index in 0..<count {
        group.enter()
        Thread {
            work(index)
            group.leave()
        }.start()
    }
    group.wait()
}

/// Runs work on several threads at once, and returns the result of each, in order.
package func resultsOnThreads<Value: Sendable>(
    _ count: Int, _ work: @escaping @Sendable (_ thread: Int) throws -> Value
) -> [Result<Value, any Error>] {
    let results = Mutex<[Int: Result<Value, any Error>]>([:])
    onThreads(count) { index in
        let result = Result { try work(index) }
        results.withLock { $0[index] = result }
    }
    return results.withLock { results in (0..<count).compactMap { results[$0] } }
}
