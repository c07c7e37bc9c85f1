internal import Objects
internal import Refs

/// Compares a damaged log with a copy, entry after entry, and finds which entries are to be restored from it.
///
/// A copy may be another history: one that was forked off, or one that ends earlier. Whatever can be read here must say the
/// same there, and what cannot be read here must be vouched for by something that can: the hint, what the client remembers,
/// or an entry that follows and names its predecessor.
struct HistoryComparison {
    /// Why nothing is restored from a copy.
    enum Refusal: Error, CustomStringConvertible {
        /// Its own log has problems.
        case unsound
        /// One of its entries cannot be read.
        case unreadable(Int)
        /// What this client has seen of a transaction is not what the copy has.
        case remembered(Int)
        /// The hint of the damaged log names another entry.
        case hint(Int)
        /// An entry that can be read here does not follow what the copy has before it.
        case follows(Int)
        /// An entry that can be read here differs from the copy's, and nothing here says that it is wrong.
        case differs(Int)
        /// It ends before this log does, and nothing here says that what it has at its end is of the same history.
        case ends(Int)
        /// Not a single entry is the same.
        case nothingInCommon

        var description: String {
            switch self {
            case .unsound: "its own log is damaged"
            case .unreadable(let number): "its transaction \(number) cannot be read"
            case .remembered(let number):
                "its transaction \(number) is not the one that was seen here before"
            case .hint(let number): "its transaction \(number) is not the one that log/tip names"
            case .follows(let number):
                "transaction \(number), as it is here, does not follow what the copy has before it"
            case .differs(let number):
                "its transaction \(number) differs from the one here, which may be the right one"
            case .ends(let number):
                "it ends with transaction \(number), and nothing here shows that it is the same history until then"
            case .nothingInCommon: "no transaction of it is the same as here"
            }
        }
    }

    /// A transaction and its hash, as something else than the log has them.
    struct Witness {
        let number: Int
        let hash: ObjectID
    }

    let hint: Witness?
    let remembered: Witness?
    /// The entries that the copy has right and this log has not.
    private(set) var wrong: [Int] = []
    /// The newest entry up to which something here vouches for the copy.
    private var vouched = -1
    private var agreed = 0
    /// An entry that reads well here and says something else: it is wrong only if what follows says so.
    private var doubtful: Witness?
    /// What is to be restored as the entry before.
    private var restored: ObjectID?

    init(hint: Witness?, remembered: Witness?) {
        self.hint = hint
        self.remembered = remembered
    }

    /// Compares an entry; entries come in order.
    ///
    /// - Parameters:
    ///   - mine: What is here of it; nil where nothing can be read.
    ///   - file: The copy's bytes of it, and `theirs` what they say.
    mutating func compare(
        _ number: Int, mine: [UInt8]?, with file: [UInt8], _ theirs: LogEntry
    ) throws(Refusal) {
        // What was seen of an entry that is missing here tells one history from another.
        if let remembered, remembered.number == number {
            guard remembered.hash == theirs.hash else { throw .remembered(number) }
            vouched = number
        }
        if mine == nil, let hint, hint.number == number {
            guard hint.hash == theirs.hash else { throw .hint(number) }
            vouched = number
        }
        let entry = mine.flatMap { try? LogEntry(decoding: $0, number: number) }
        try check(successor: entry, number)
        if let doubted = doubtful {
            guard entry?.previous == doubted.hash else { throw .differs(doubted.number) }
            doubtful = nil
        }
        if mine == file {
            (agreed, vouched) = (agreed + 1, number)
            return
        }
        let isHinted = hint?.number == number && hint?.hash == theirs.hash
        if let entry, entry.hash != theirs.hash, !isHinted {
            doubtful = Witness(number: number, hash: theirs.hash)
        }
        wrong.append(number)
        restored = theirs.hash
    }

    /// Ends the comparison; where this log goes on after the copy ends, with the next entry here.
    mutating func finish(next: LogEntry?, _ number: Int, goesOn: Bool) throws(Refusal) {
        if let doubtful { throw .differs(doubtful.number) }
        guard agreed > 0 else { throw .nothingInCommon }
        guard goesOn else { return }
        // Where nothing that is here follows, it may be another history.
        try check(successor: next, number)
        let (vouched, isWrong) = (vouched, !wrong.isEmpty)
        wrong.removeAll { $0 > vouched }
        if isWrong, wrong.isEmpty { throw .ends(number - 1) }
    }

    /// An entry that can be read here must follow what would be restored before it.
    private mutating func check(successor entry: LogEntry?, _ number: Int) throws(Refusal) {
        if let before = restored, let entry {
            guard entry.previous == before else { throw .follows(number) }
            vouched = number - 1
        }
        restored = nil
    }
}
