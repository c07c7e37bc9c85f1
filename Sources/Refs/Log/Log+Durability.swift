internal import Storage

extension Log {
    /// Makes sure that everything that can be seen in the log survives a power cut: for who tells others of a state,
    /// or acts on it outside.
    ///
    /// An entry is visible a moment before it is durable, and its writer may have died in between. This waits for the
    /// disk, which takes microseconds when there is nothing to wait for.
    ///
    /// - Throws: `storage` when the disk fails.
    public func makeDurable() throws(RefError) {
        do {
            try bucket.synchronizeLog()
        } catch { throw .storage(error) }
    }
}
