internal import Synchronization

/// How far a run is.
public struct RunProgress: Sendable {
    /// The files that were read.
    public internal(set) var filesRead = 0
    /// All files.
    public internal(set) var files = 0
    /// The texts of these files that have to be embedded.
    public internal(set) var wanted = 0
    /// The vectors that were made.
    public internal(set) var made = 0
    /// The vectors that were found in what an interrupted run left.
    public internal(set) var recovered = 0

    /// The texts that have to be embedded in all, if the files that were not read yet are like the others; nil while
    /// nothing is known.
    public var expected: Int? {
        filesRead > 0 ? max(wanted, wanted * files / filesRead) : nil
    }
}

/// Counts what a run does, from any thread, and tells whoever wants to know.
final class RunMeter: Sendable {
    private let progress = Mutex(RunProgress())
    private let tell: @Sendable (RunProgress) -> Void

    init(_ tell: @escaping @Sendable (RunProgress) -> Void) { self.tell = tell }

    /// How far the run is.
    var value: RunProgress { progress.withLock { $0 } }

    func read(_ done: Int, of files: Int) { change { ($0.filesRead, $0.files) = (done, files) } }
    func wanted(_ texts: Int) { change { $0.wanted += texts } }
    func made(_ vectors: Int) { change { $0.made += vectors } }
    func recovered() { change { $0.recovered += 1 } }

    private func change(_ body: (inout RunProgress) -> Void) {
        let now = progress.withLock { progress in
            body(&progress)
            return progress
        }
        tell(now)
    }
}
