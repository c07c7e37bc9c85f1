public import Objects
internal import Storage

extension Log {
    /// So many milliseconds after its creation an entry has long been durable, unless its writer died.
    private static let youth = 60_000

    /// Makes sure that a state survives a power cut: for who tells others of it, or acts on it outside.
    ///
    /// An entry is visible a moment before it is durable. When the newest one is young, or comes from the future,
    /// this waits for the disk once, which takes microseconds when there is nothing to wait for.
    ///
    /// - Throws: `storage` when the disk fails.
    public func makeDurable(_ state: State, now: Timestamp) throws(RefError) {
        guard now.milliseconds - state.time.milliseconds < Self.youth else { return }
        do {
            try bucket.synchronizeLog()
        } catch { throw .storage(error) }
    }
}
