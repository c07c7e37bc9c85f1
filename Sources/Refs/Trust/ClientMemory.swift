public import Objects
internal import Storage

/// What one client has seen of the repository in one place, kept outside of the repository: by it a log that went
/// backwards or forked is noticed, and what was checked once is not checked again.
///
/// A file that cannot be read counts as absent, and one that cannot be written is no error.
public struct ClientMemory: Sendable {
    private let file: CacheFile
    private let now: @Sendable () -> Timestamp
    private let isForgetful: Bool

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
    public init(
        at path: String, now: @escaping @Sendable () -> Timestamp, isForgetful: Bool = false
    ) {
        // Three folders, as in ~/.local/state/fti.
        file = CacheFile(path, folders: 3)
        self.now = now
        self.isForgetful = isForgetful
    }

    /// Forgets what was in this place before: a new repository was made there.
    public func clear() { try? file.replace([]) }

    func recall() -> Remembered? {
        isForgetful ? nil : file.read(limit: Self.byteLimit).flatMap(Remembered.init(decoding:))
    }

    /// Remembers a state that was seen.
    ///
    /// - Parameters:
    ///   - known: What ``recall()`` gave.
    ///   - isDurable: Whether the newest entry is known to survive a power cut.
    func record(_ state: State, after known: Remembered?, isDurable: Bool) {
        let known = known.flatMap { $0.repositoryID == state.repositoryID ? $0 : nil }
        if let known, known.number >= state.number { return }
        let age = now().milliseconds - state.time.milliseconds
        guard isDurable || !(0..<Self.settlingMilliseconds).contains(age) else { return }
        try? file.replace(Remembered(state, after: known).encoded)
    }
}
