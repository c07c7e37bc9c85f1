public import Storage

/// The exit codes that every executable of the project uses.
public enum ExitStatus: Int32, Sendable, CaseIterable {
    /// Done.
    case success = 0
    /// A negative answer that was asked for, such as `diff --exit-code` with differences.
    case negative = 1
    /// No such ref, object, path or repository.
    case missing = 2
    /// The ref moved meanwhile.
    case conflict = 3
    /// Refused by policy, gate or kind.
    case refused = 4
    /// The repository is damaged.
    case damaged = 5
    /// The command line is wrong.
    case usage = 64
    /// Input or output failed.
    case inputOutput = 74

    /// What the code says, for manuals.
    public var meaning: String {
        switch self {
        case .success: "Done."
        case .negative:
            "A negative answer that was asked for: differences, damage, pins that differ."
        case .missing: "No such ref, object, path or repository."
        case .conflict: "The ref moved meanwhile."
        case .refused: "Refused by policy, gate or kind."
        case .damaged: "The repository is damaged."
        case .usage: "The command line, or what it names, is not valid."
        case .inputOutput: "Input or output failed."
        }
    }

    /// The code for a class of failure: the only place that maps one to the other.
    public init(_ fault: Fault) {
        self =
            switch fault {
            case .usage: .usage
            case .missing: .missing
            case .conflict: .conflict
            case .refused: .refused
            case .damaged: .damaged
            case .io: .inputOutput
            }
    }
}

extension Fault {
    /// The word that `--json` gives for this class of failure.
    public var word: String {
        switch self {
        case .usage: "usage"
        case .missing: "missing"
        case .conflict: "conflict"
        case .refused: "refused"
        case .damaged: "damaged"
        case .io: "io"
        }
    }
}
