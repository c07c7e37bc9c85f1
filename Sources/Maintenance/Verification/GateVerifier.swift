internal import Objects
internal import Refs
internal import Storage

/// Asks gates about moves that were made, each in the state that it was made on.
///
/// Every reader judges signatures, rights and approvals. Gates are judged by the writer; here it shows when one did
/// not.
struct GateVerifier {
    /// What gates say of the moves of a log.
    struct Report {
        /// The moves that refs stand at, which gates refuse and no override explains.
        var findings: [Finding] = []
        /// Older transactions that gates refuse and no override explains.
        var older: [Int] = []
        /// Transactions of which it cannot be told any more, because what they moved to was collected.
        var unknown = 0

        /// What is no damage, but worth knowing.
        var notes: [String] {
            var notes: [String] = []
            if !older.isEmpty {
                let numbers = older.prefix(8).map(String.init).joined(separator: ", ")
                notes.append(
                    "gates refuse what \(older.count) older transactions moved (\(numbers)"
                        + (older.count > 8 ? " and more)" : ")"))
            }
            if unknown > 0 {
                notes.append(
                    "what gates say of \(unknown) older transactions is not known any more: "
                        + "what they moved to was collected")
            }
            return notes
        }
    }

    let log: Log
    let objects: PackStore
    /// The state up to which the log is sound.
    let tip: State

    /// Folds the log once more: O(entries), and the snapshots that gates look at.
    func verify() throws(RefError) -> Report {
        var report = Report()
        var reader = log.entries()
        var state: State?
        var number = 0
        while number <= tip.number {
            let run = try reader.run(from: number)
            for result in run.decoded() {
                // What cannot be read or does not follow is a finding already.
                guard case .success(let entry) = result, entry.number <= tip.number else {
                    return report
                }
                if let state { try check(entry, after: state, &report) }
                do throws(RefError) {
                    if entry.number == 0 {
                        state = try State(first: entry)
                    } else {
                        try state?.apply(entry, isVouchedFor: true)
                    }
                } catch { return report }
            }
            guard run.failure == nil, !run.files.isEmpty else { break }
            number += run.files.count
        }
        return report
    }

    private func check(
        _ entry: LogEntry, after state: State, _ report: inout Report
    ) throws(RefError) {
        let changes = entry.changes
        guard GateEvaluation<PackStore>.concerns(changes, in: state) else { return }
        var evaluation = GateEvaluation(changes, in: state, objects: objects, time: entry.clock)
        let outcomes: [GateOutcome]
        do throws(RefError) { outcomes = try evaluation.outcomes() } catch {
            switch error {
            case .objects(.missing), .objects(.collected): report.unknown += 1
            // Damage is a finding already.
            case .objects: break
            default: throw error
            }
            return
        }
        var overridden: Set<[UInt8]> = []
        for case .override(let gates, _) in entry.actions {
            overridden.formUnion(gates.map { Array($0.utf8) })
        }
        for outcome in outcomes
        where !outcome.passes && !overridden.contains(Array(outcome.summary.utf8)) {
            if evaluation.ancestry.isCut, case .input = outcome.gate.condition {
                report.unknown += 1
            } else if tip.refs[outcome.ref]?.transaction == entry.number {
                report.findings.append(Self.finding(outcome, entry))
            } else if report.older.last != entry.number {
                report.older.append(entry.number)
            }
        }
    }

    private static func finding(_ outcome: GateOutcome, _ entry: LogEntry) -> Finding {
        Finding(
            problem: "\(outcome.ref) was moved past a gate, and nothing says why: "
                + outcome.summary, place: LogFile.place(of: entry.number),
            affects: [outcome.ref.text],
            remedy: "ftictl rollback \(outcome.ref), or \(outcome.remedy ?? "satisfy the gate")")
    }
}
