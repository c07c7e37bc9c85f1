import Artifacts
import CommandSupport
import Objects
import Refs

/// A ref in production, and the newer versions that could replace its version.
///
/// Names decide: `features/prod`, `models/current` and `releases/prod` are in production, `features/staging` and
/// `models/candidate` are waiting.
struct ProductionRef {
    let name: RefName
    let ref: RefState
    /// Its snapshot; nil if that was collected or cannot be read.
    let snapshot: Snapshot?
    /// Why the snapshot cannot be read; nil if it can, or if it was collected.
    let problem: RefError?
    /// Newer versions in the same folder of refs.
    let waiting: [Waiting]

    /// A version that could replace the one in production.
    struct Waiting {
        let name: RefName
        let ref: RefState
        /// The outcome of each gate for the promotion; nil if something else refuses the promotion.
        let gates: [GateOutcome]?
        /// Why the promotion is refused, if not by a gate.
        let refusal: RefError?
        /// The documents that differ from those in production; nil if either version is no table or cannot be read.
        var documents: DocumentChanges?

        /// Whether the promotion would succeed.
        var passes: Bool { gates?.allSatisfy(\.passes) ?? false }
    }

    private static let productionNames: Set<String> = ["prod", "production", "current", "live"]
    private static let waitingNames: Set<String> = ["staging", "stage", "candidate", "next"]

    /// Finds the refs in production, and rehearses the promotion of each version that is waiting.
    static func all(in repository: OpenRepository, writer: Writer) throws -> [Self] {
        let refs = repository.state.refs.sorted { $0.key < $1.key }
        let waiting = Dictionary(grouping: refs.filter { last($0.key, isIn: waitingNames) }) {
            folder(of: $0.key)
        }
        let transaction = try repository.begin(writer)
        return try refs.filter { last($0.key, isIn: productionNames) }.map {
            name, ref in
            let found = try read(name, ref, in: repository)
            let current = found.snapshot?.created ?? ref.time
            let newer = try (waiting[folder(of: name)] ?? []).filter { other, state in
                guard state.target != ref.target else { return false }
                let created = try read(other, state, in: repository).snapshot?.created
                return created ?? state.time > current
            }
            return Self(
                name: name, ref: ref, snapshot: found.snapshot, problem: found.problem,
                waiting: try newer.map { other, state in
                    var waiting = rehearse(other, state, for: name, in: transaction)
                    waiting.documents = try documents(
                        from: found.snapshot,
                        to: try read(other, state, in: repository).snapshot, in: repository)
                    return waiting
                })
        }
    }

    /// The documents in which two tables differ; nil if either version is no table or cannot be read.
    private static func documents(
        from before: Snapshot?, to after: Snapshot?, in repository: OpenRepository
    ) throws -> DocumentChanges? {
        guard let old = before?.content.table, let new = after?.content.table else { return nil }
        let objects = try repository.objects
        do throws(ObjectError) {
            let moves = try RowMoves(from: old, to: new, in: objects)
            return try DocumentChanges(from: old, to: new, moves: moves, in: objects)
        } catch {
            guard !RefError.objects(error).isOutOfResources else { throw RefError.objects(error) }
            return nil
        }
    }

    /// The snapshot of a ref, or why it cannot be read: one broken ref must not hide the others.
    private static func read(
        _ name: RefName, _ ref: RefState, in repository: OpenRepository
    ) throws -> (snapshot: Snapshot?, problem: RefError?) {
        do {
            return (try repository.snapshotUnlessCollected(ref.target, of: name), nil)
        } catch let error as RefError where !error.isOutOfResources {
            return (nil, error)
        }
    }

    private static func rehearse(
        _ name: RefName, _ ref: RefState, for production: RefName, in transaction: Transaction
    ) -> Waiting {
        do throws(RefError) {
            let gates = try transaction.rehearse([RefUpdate(production, new: ref.target)]).gates
            return Waiting(name: name, ref: ref, gates: gates, refusal: nil)
        } catch { return Waiting(name: name, ref: ref, gates: nil, refusal: error) }
    }

    private static func last(_ name: RefName, isIn names: Set<String>) -> Bool {
        name.components.last.map { names.contains(String($0)) } ?? false
    }

    /// The name without its last component.
    private static func folder(of name: RefName) -> Substring {
        name.text[..<(name.text.lastIndex(of: "/") ?? name.text.startIndex)]
    }
}

/// Formats `status` for people.
struct StatusView {
    let style: Style
    let now: Timestamp
    let labels: RefLabels

    /// A ref in production and, below it, the versions that could replace it.
    func lines(_ production: ProductionRef) -> [String] {
        let ref = production.ref
        let since = "since \(ref.time.minuteDescription) (\(Quantity.age(of: ref.time, at: now)))"
        var lines = [
            "\(style.cyan(production.name.text))  \(style.yellow(ref.target.short))  \(since)"
        ]
        let message = production.snapshot?.message.firstLine ?? ""
        if !message.isEmpty { lines.append("  \(message)") }
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

    /// `documents: 4 added, 15 changed, 1 moved`; nil if none differ.
    private func line(_ documents: DocumentChanges?) -> String? {
        guard let documents, !documents.all.isEmpty else { return nil }
        let counts = documents.counts
        let parts = [
            (counts.added, "added"), (counts.removed, "removed"), (counts.changed, "changed"),
            (counts.moved ?? 0, "moved"),
        ].filter { $0.0 > 0 }.map { "\(Quantity.count($0.0)) \($0.1)" }
        return "documents: " + parts.joined(separator: ", ")
    }

    /// The pins of the lock file that differ from what their revisions name now.
    func lines(_ pins: PinComparison?) -> [String] {
        guard let pins else { return [] }
        let count = Quantity.count(pins.lock.pins.count, "pin")
        guard !pins.differences.isEmpty else {
            return ["\(LockFile.usualName): \(count), no differences"]
        }
        let differing = pins.differences.count
        let verb = differing == 1 ? "differs" : "differ"
        return ["\(LockFile.usualName): \(Quantity.count(differing)) of \(count) \(verb)"]
            + pins.differences.map { "  \($0.line)" }
    }

    /// The snapshots that leases keep, with the refs that point at them or recently did.
    func lines(_ leases: [Lease]) -> [String] {
        guard !leases.isEmpty else { return [] }
        return ["\(Quantity.count(leases.count, "lease")):"]
            + leases.flatMap { lease in
                let end = lease.seconds.map { "for \($0) s" } ?? "until released"
                return ["  \(lease.purpose.printable()), \(end)"]
                    + lease.snapshots.map { id in
                        "    \(style.yellow(id.short))  \(labels[id].map(style.cyan) ?? "no ref")"
                    }
            }
    }
}
