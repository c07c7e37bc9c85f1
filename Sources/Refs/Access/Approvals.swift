internal import Objects

/// The approvals of a state that are not void yet, by ref: what an entry does to them costs what it names, however
/// many there are.
struct Approvals: Sendable {
    private var byRef: [RefName: [Approval]] = [:]
    /// When the first of them expires.
    private var soonest: Timestamp?

    /// No approvals.
    init() {}

    /// Approvals as a checkpoint lists them.
    init(_ approvals: [Approval]) { for approval in approvals { add(approval) } }

    /// All of them, by transaction, ref, target and key.
    var all: [Approval] {
        byRef.values.joined().sorted { left, right in
            if left.transaction != right.transaction { return left.transaction < right.transaction }
            if left.ref != right.ref { return left.ref < right.ref }
            if left.new != right.new { return (left.new?.hex ?? "") < (right.new?.hex ?? "") }
            return left.key < right.key
        }
    }

    /// Those that are about a ref.
    subscript(ref: RefName) -> [Approval] { byRef[ref] ?? [] }

    /// Drops those that are void after an entry, and takes those that it gives.
    ///
    /// - Parameters:
    ///   - moved: The refs that the entry moves.
    ///   - clock: What has expired by then is void.
    ///   - letsExpire: Whether the entry lets time pass for the approvals of a ref.
    mutating func settle(
        _ entry: LogEntry, moving moved: Set<RefName>, at clock: Timestamp,
        letsExpire: (RefName) -> Bool = { _ in true }
    ) {
        var given: [RefName: [Approval.Subject: Approval]] = [:]
        for action in entry.actions {
            switch action {
            case .policy:
                // Under another policy somebody has consented by rules that do not hold any more.
                self = Approvals()
                return
            case .approve(let name, let old, let new, _, let expires):
                guard let key = entry.signature?.key, !moved.contains(name) else { continue }
                given[name, default: [:]][Approval.Subject(new: new, key: key)] = Approval(
                    ref: name, old: old, new: new, key: key, expires: expires,
                    transaction: entry.number)
            case .format, .ref, .pack, .unpack, .override, .retain: break
            }
        }
        for name in moved { byRef[name] = nil }
        for (name, approvals) in given {
            byRef[name]?.removeAll { approvals[$0.subject] != nil }
            for approval in approvals.values { add(approval) }
        }
        guard let soonest, soonest <= clock else { return }
        self = Approvals(
            byRef.values.joined().filter { $0.expires > clock || !letsExpire($0.ref) })
    }

    /// Drops those that are void for another reason.
    mutating func remove(_ void: Set<Approval>) {
        for name in Set(void.map(\.ref)) { byRef[name]?.removeAll(where: void.contains) }
    }

    private mutating func add(_ approval: Approval) {
        byRef[approval.ref, default: []].append(approval)
        soonest = min(soonest ?? approval.expires, approval.expires)
    }
}
