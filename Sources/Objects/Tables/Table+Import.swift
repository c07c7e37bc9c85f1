public import Storage

extension Table {
    /// Stores the rows of JSON Lines, which may come in any order, as a table.
    ///
    /// A caller that drops `store` when this throws has stored nothing. Memory is bounded: rows that are not in order
    /// and do not fit wait in scratch space.
    ///
    /// - Parameters:
    ///   - source: The rows.
    ///   - predecessor: A table that the new one is a change of. Only what differs is written then, as a
    ///     difference against it; the table is the same as one of the rows alone.
    ///   - store: Where nodes go, and where those of `predecessor` are.
    ///   - threads: How many threads parse and store; the table does not depend on it.
    ///   - makeScratch: Gives space for rows that do not fit into memory.
    /// - Returns: The table; its dimension is 0 when there are no rows.
    /// - Throws: `invalid` with the line, or both lines when a key appears twice.
    public static func importing(
        _ source: JSONLinesSource, succeeding predecessor: Table? = nil,
        in store: some ObjectStore, threads: Int = Threads.available,
        makeScratch: @escaping () throws(ObjectError) -> any StagedBlob
    ) throws(ObjectError) -> Table {
        try TableImport(
            source: source, predecessor: predecessor, store: store, threads: threads
        ).run(makeScratch: makeScratch)
    }
}
