import CommandSupport
import Objects
import Refs

/// How the state of production is shown to a person.
struct StatusView {
    let style: Style
    let now: Timestamp
    let labels: RefLabels

    /// A ref in production, and below it what waits.
    func lines(_ production: Standing.Production) -> [String] {
        let ref = production.ref
        let since = "since \(ref.time.minuteDescription) (\(Quantity.age(of: ref.time, at: now)))"
        var lines = [
            "\(style.cyan(production.name.text))  \(style.yellow(ref.target.short))  \(since)"
        ]
        let message = production.snapshot?.message.split(whereSeparator: \.isNewline).first
        if let message { lines.append("  \(String(message).printable())") }
        if let problem = production.problem {
            lines.append("  \(style.red("broken"))  \(problem.message.printable())")
        }
        for waiting in production.waiting {
            lines.append(
                "  newer: \(style.cyan(waiting.name.text))  \(style.yellow(waiting.ref.target.short))  "
                    + Quantity.age(of: waiting.ref.time, at: now))
            if let documents = line(waiting.documents) { lines.append("    \(documents)") }
            for gate in waiting.gates ?? [] where !gate.passes {
                lines.append("  \(gate.line(style))")
            }
            if let refusal = waiting.refusal {
                lines.append("    \(style.red("refused"))  \(refusal.message.printable())")
            }
            if waiting.passes {
                let gates = Quantity.count(waiting.gates?.count ?? 0, "gate")
                lines.append(
                    "    \(style.green("passes"))  \(gates): ftictl promote \(waiting.name) \(production.name)"
                )
            }
        }
        return lines
    }

    /// `documents: 4 added, 15 changed, 1 moved`; nil where none differs.
    private func line(_ documents: DocumentChanges?) -> String? {
        guard let documents, !documents.all.isEmpty else { return nil }
        let fates: [DocumentChange.Fate] = [.added, .removed, .changed, .moved]
        let parts = fates.filter { documents.count($0) > 0 }.map {
            "\(Quantity.count(documents.count($0))) \($0.rawValue)"
        }
        return "documents: " + parts.joined(separator: ", ")
    }

    /// What the lock file of the working directory pins, as far as it differs from its revisions.
    func lines(_ pins: PinComparison?) -> [String] {
        guard let pins else { return [] }
        let count = Quantity.count(pins.lock.pins.count, "pin")
        guard !pins.differences.isEmpty else {
            return ["\(LockFile.usualName): \(count), nothing differs"]
        }
        let differing = pins.differences.count
        let verb = differing == 1 ? "differs" : "differ"
        return ["\(LockFile.usualName): \(Quantity.count(differing)) of \(count) \(verb)"]
            + pins.differences.map { "  \($0.line)" }
    }

    /// What leases keep, named by the refs that point there or did lately.
    func lines(_ leases: [Lease]) -> [String] {
        guard !leases.isEmpty else { return [] }
        return ["\(Quantity.count(leases.count, "lease")):"]
            + leases.flatMap { lease in
                let end = lease.seconds.map { "for \($0) s" } ?? "until it is released"
                return ["  \(lease.purpose.printable()), \(end)"]
                    + lease.snapshots.map { id in
                        "    \(style.yellow(id.short))  \(labels[id].map(style.cyan) ?? "no ref")"
                    }
            }
    }
}
