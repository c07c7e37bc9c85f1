package import Storage
import Synchronization
import Testing

/// A bucket that counts its calls.
package final class CountingBucket: ForwardingBucket {
    package let base: any Bucket
    private let seen = Mutex<[BucketCall]>([])

    package init(_ base: any Bucket) { self.base = base }

    package func willCall(_ call: BucketCall) { seen.withLock { $0.append(call) } }

    /// Every call so far, in order.
    package var calls: [BucketCall] { seen.withLock { $0 } }

    package var reads: Int { calls.count { if case .read = $0 { true } else { false } } }
    package var opens: Int { calls.count { if case .open = $0 { true } else { false } } }
    package var lists: Int { calls.count { if case .list = $0 { true } else { false } } }
}

/// A bucket that runs a hook just before one of its calls, or fails all changes from a given call on.
///
/// Calls are counted from 0; those that a hook makes are not counted.
package final class HookedBucket: ForwardingBucket {
    private struct Hook {
        let isDue: @Sendable (_ number: Int, _ call: BucketCall) -> Bool
        let body: @Sendable () throws -> Void
    }

    private struct Plan {
        var calls = 0
        var changes = 0
        var hook: Hook?
        var failsFromCall = Int.max
        var failsFromChange = Int.max
        var failures = 0
        var isRunning = false
    }

    package let base: any Bucket
    private let plan = Mutex(Plan())

    package init(_ base: any Bucket) { self.base = base }

    /// The error of every change that this bucket fails.
    package static let failure = StorageError.system(
        operation: "write", path: "a bucket that fails for a test", errno: 5)

    /// The number of calls so far.
    package var calls: Int { plan.withLock { $0.calls } }

    /// The number of failed changes.
    package var failures: Int { plan.withLock { $0.failures } }

    /// Whether no hook is waiting for its call.
    package var hasHappened: Bool { plan.withLock { $0.hook == nil } }

    /// Runs a hook once, before a call by its number; an error of the hook fails the test.
    package func before(_ number: Int, _ body: @escaping @Sendable () throws -> Void) {
        plan.withLock { $0.hook = Hook(isDue: { at, _ in number <= at }, body: body) }
    }

    /// Runs a hook once, before the next call about a folder; an error of the hook fails the test.
    package func before(_ folder: BucketFolder, _ body: @escaping @Sendable () throws -> Void) {
        plan.withLock { $0.hook = Hook(isDue: { _, call in call.folder == folder }, body: body) }
    }

    /// Fails every change from a call on, as if the process had been killed.
    package func fail(from call: Int) { plan.withLock { $0.failsFromCall = call } }

    /// Lets some changes happen and fails all later ones.
    package func fail(afterChanges count: Int) { plan.withLock { $0.failsFromChange = count } }

    package func willCall(_ call: BucketCall) throws(StorageError) {
        let (body, fails) = plan.withLock { plan -> ((@Sendable () throws -> Void)?, Bool) in
            if plan.isRunning { return (nil, false) }
            let fails =
                call.isChange
                && (plan.calls >= plan.failsFromCall || plan.changes >= plan.failsFromChange)
            if fails { plan.failures += 1 }
            defer {
                plan.calls += 1
                if call.isChange { plan.changes += 1 }
            }
            guard let hook = plan.hook, hook.isDue(plan.calls, call) else { return (nil, fails) }
            plan.hook = nil
            plan.isRunning = true
            return (hook.body, fails)
        }
        if let body {
            do { try body() } catch { Issue.record("the hook failed: \(error)") }
            plan.withLock { $0.isRunning = false }
        }
        if fails { throw Self.failure }
    }
}
