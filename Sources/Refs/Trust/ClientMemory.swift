public import Objects
internal import Storage

/// What one client has seen of the repository in one place, kept outside of the repository: by it a log that went
/// backwards or forked is noticed, a clock that was set back revives no approval, and what was checked once is not checked
/// again.
///
/// The file is durable. One that is not there is a first contact; one that is damaged is reported and then counts as
/// absent; one that cannot be written is no error.
public struct ClientMemory: Sendable {
    private let folder: PrivateFolder
    private let name: String
    private let now: @Sendable () -> Timestamp
    private let isForgetful: Bool
    private let report: @Sendable (String) -> Void

    /// The most bytes that the file may have: a state with some 100,000 packs.
    private static let byteLimit = 32 << 20
    /// A transaction of less age may be visible before it is durable: after a power cut its absence is no rollback.
    private static let settlingMilliseconds = 60_000

    /// The memory in a file, whether or not there is one.
    ///
    /// - Parameters:
    ///   - path: An absolute path, which stands for the place of the repository.
    ///   - now: Tells the time.
    ///   - isForgetful: Whether what it says is ignored and replaced: somebody knows why the log went backwards.
    ///   - report: Told in a sentence when what was remembered is lost; may be told again until something is remembered
    ///     anew.
    public init(
        at path: String, now: @escaping @Sendable () -> Timestamp, isForgetful: Bool = false,
        report: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) ?? path.startIndex
        folder = PrivateFolder(String(path[..<slash]))
        name = String(path[slash...].dropFirst())
        self.now = now
        self.isForgetful = isForgetful
        self.report = report
    }

    /// Forgets what was in this place before: a new repository was made there.
    public func clear() { try? folder.remove(name) }

    package func recall() -> Remembered? {
        guard !isForgetful else { return nil }
        do throws(StorageError) {
            guard let file = try folder.read(name, limit: Self.byteLimit) else { return nil }
            guard file.isOwn else {
                lost("others can write it")
                return nil
            }
            guard let remembered = Remembered(decoding: file.bytes) else {
                lost(file.bytes.isEmpty ? "it is empty" : "it is damaged")
                return nil
            }
            if remembered.isTorn { lost("the state in it is damaged") }
            return remembered
        } catch {
            lost(error.message)
            return nil
        }
    }

    private func lost(_ reason: String) {
        report(
            "what this client remembers of the repository cannot be read, so that a log that went backwards may not be "
                + "noticed: \(folder.path)/\(name): \(reason)")
    }

    /// The newest time at which this client is known to have looked at a repository.
    func newestTime(of repository: RandomBits) -> Timestamp? {
        recall().flatMap { $0.repositoryID == repository ? $0.time : nil }
    }

    /// Remembers a state that was seen, and when: at each new transaction, and once more when an approval in the state
    /// has expired since.
    ///
    /// - Parameters:
    ///   - known: What ``recall()`` gave.
    ///   - isDurable: Whether the newest entry is known to survive a power cut.
    package func record(_ state: State, after known: Remembered?, isDurable: Bool) {
        let known = known.flatMap { $0.repositoryID == state.repositoryID ? $0 : nil }
        let now = now()
        let hasLapse = state.approvals.contains { approval in
            approval.expires <= now && known.map { approval.expires > $0.time } ?? true
        }
        let isNew = known.map { $0.number < state.number || $0.isTorn } ?? true
        guard isNew || hasLapse else { return }
        let age = now.milliseconds - state.time.milliseconds
        if isNew, isDurable || !(0..<Self.settlingMilliseconds).contains(age) {
            try? folder.replace(name, Remembered(state, after: known, at: now).encoded)
        } else if hasLapse, let known {
            try? folder.replace(name, known.seen(at: now).encoded)
        }
    }
}
