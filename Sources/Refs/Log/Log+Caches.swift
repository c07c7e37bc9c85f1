internal import Objects
internal import Storage

/// The hint and the checkpoints: what makes opening fast, and is never needed.
extension Log {
    /// The hint; nil when there is none, or garbage.
    package func readHint() throws(RefError) -> TipHint? {
        do {
            // A writer may be at it: what is a mixture of two hints now is a hint a moment later.
            for _ in 0..<3 {
                guard let bytes = try bucket.read(LogFile.tip, limit: TipHint.byteCount) else {
                    return nil
                }
                if let hint = TipHint(decoding: bytes) { return hint }
            }
            return nil
        } catch {
            if error.concernsOneFile { return nil }
            throw .storage(error)
        }
    }

    /// The state that a checkpoint holds; nil when it is unreadable or the log contradicts it.
    func checkpointed(
        _ name: CheckpointName?, _ reader: inout EntryReader
    ) throws(RefError) -> State? {
        guard let name, let state = read(name), try agrees(state, &reader) else { return nil }
        return state
    }

    /// The newest usable checkpoint of the folder; those that the log does not reach go to `ahead`.
    func newestListed(
        ahead: inout [State], _ reader: inout EntryReader
    ) throws(RefError) -> State? {
        for name in try checkpointNames() {
            guard let state = read(name) else { continue }
            if try agrees(state, &reader) {
                if trust.accepts(state) { return state }
            } else {
                ahead.append(state)
            }
        }
        return nil
    }

    /// The names of the checkpoints in the folder, the newest first.
    func checkpointNames() throws(RefError) -> [CheckpointName] {
        do {
            return try bucket.list(.checkpoints).compactMap { CheckpointName($0.name) }
                .sorted { ($0.number, $0.hash) > ($1.number, $1.hash) }
        } catch {
            if error.concernsOneFile { return [] }
            throw .storage(error)
        }
    }

    /// What a checkpoint holds, or nil: whatever is wrong with it, the log itself is better.
    package func read(_ name: CheckpointName) -> State? {
        guard let bytes = try? bucket.read(name.blob, limit: Checkpoint.byteLimit) else {
            return nil
        }
        return Checkpoint.decode(bytes, name: name)
    }

    func agrees(_ state: State, _ reader: inout EntryReader) throws(RefError) -> Bool {
        guard let entry = try reader.first(from: state.number) else { return false }
        return entry.hash == state.entryHash && entry.time == state.time
    }

    /// Writes a checkpoint when one is due, the hint, and what this client remembers. None is needed, so failures
    /// are ignored.
    func writeCaches(after state: inout State, by writer: Writer) {
        if isCheckpointDue(state), var bytes = try? Checkpoint.encode(state) {
            let isSigned = writer.certify(&bytes, of: state)
            let name = CheckpointName(
                number: state.number, hash: ObjectID(of: bytes.span), isSigned: isSigned)
            // Named by its hash: a crash can lose or tear it, and it then is no checkpoint.
            if (try? bucket.replace(name.blob, bytes)) != nil {
                state.restart(from: name, bytes)
                removeCheckpoints(before: name)
            }
        }
        let hint = TipHint(
            number: state.number, entryHash: state.entryHash, checkpoint: state.checkpoint)
        try? bucket.overwrite(LogFile.tip, hint.encoded)
        if let memory = trust.memory {
            memory.record(state, after: memory.recall(), isDurable: true)
        }
    }

    /// Whether the writer of the newest entry is to write a checkpoint: one in so many is, and if that
    /// one dies before it does, the next that notices.
    private func isCheckpointDue(_ state: State) -> Bool {
        let interval = Checkpoint.interval(size: state.checkpointSize)
        let distance = state.number - (state.checkpoint?.number ?? 0)
        return state.number > 0 && state.number % interval == 0 || distance >= 2 * interval
    }

    /// Keeps the newest checkpoint and one before it, for readers whose hint lags, and the newest that somebody
    /// vouches for, for those who come for the first time.
    private func removeCheckpoints(before newest: CheckpointName) {
        guard let names = try? checkpointNames() else { return }
        let signed = newest.isSigned ? newest : names.first(where: \.isSigned)
        for name in names.filter({ $0.number < newest.number }).dropFirst() where name != signed {
            try? bucket.delete(name.blob)
        }
    }
}
