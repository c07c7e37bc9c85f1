internal import Objects
internal import Refs
internal import Storage

/// Evaluates the gates for every past move, in the state before its entry.
///
/// Every reader checks signatures, rights and approvals, but only writers evaluate gates. This verifier finds the moves
/// of writers that did not.
struct GateVerifier {
    /// The gates' verdict on the moves of a log.
    struct Report {
        /// The refused moves without an override that set the present value of a ref.
        var findings: [Finding] = []
        /// The transactions with older moves of that kind.
        var older: [Int] = []
        /// How often gates cannot judge a transaction, because snapshots that they read were collected.
        var unknown = 0

        /// Remarks that are not about damage.
        var notes: [String] {
            var notes: [String] = []
            if !older.isEmpty {
                let numbers = older.prefix(8).map(String.init).joined(separator: ", ")
                notes.append(
                    "gates refuse the moves of \(older.count) older transactions (\(numbers)"
                        + (older.count > 8 ? " and more)" : ")"))
            }
            if unknown > 0 {
                notes.append(
                    "gates cannot judge \(unknown) older transactions: "
                        + "snapshots that the gates read were collected")
            }
            return notes
        }
    }

    let log: Log
    let objects: PackStore
    /// The state after the last sound entry.
    let tip: State

    /// Folds the log again: O(entries), plus the snapshots that gates read.
    func verify() throws(RefError) -> Report {
        var report = Report()
        var reader = log.entries()
        var state: State?
        var number = 0
        while number <= tip.number {
            let span = try reader.span(from: number)
            for result in span.decoded() {
                // An entry that is unreadable, or does not follow the one before it, is a finding already.
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
            guard span.failure == nil, !span.files.isEmpty else { break }
            number += span.files.count
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
                report.findings.append(
                    Finding(
                        .bypassedGate(outcome.ref, remedy: outcome.remedy),
                        at: .entry(entry.number),
                        "\(outcome.ref) was moved past a gate without an override: "
                            + outcome.summary, affects: [outcome.ref.text]))
            } else if report.older.last != entry.number {
                report.older.append(entry.number)
            }
        }
    }
}
