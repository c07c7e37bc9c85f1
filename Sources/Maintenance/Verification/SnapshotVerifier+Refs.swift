internal import Objects
internal import Refs
internal import Storage

extension SnapshotVerifier {
    /// The refs of a state that point at what their namespace does not hold, which only a forged entry does.
    ///
    /// - Returns: A finding for each ref, and the objects that are no snapshots: sound in themselves, they are not damage
    ///   that a copy could repair.
    func misdirectedRefs(of state: State) -> (findings: [Finding], objects: Set<ObjectID>) {
        var foreign: Set<ObjectID> = []
        for item in damage where item.path.isEmpty {
            switch item.error {
            case .malformed(item.snapshot, _, _, _), .tooLarge(item.snapshot, _, _):
                foreign.insert(item.snapshot)
            default: break
            }
        }
        var findings: [Finding] = []
        var objects: Set<ObjectID> = []
        for (name, ref) in state.refs.sorted(by: { $0.key < $1.key }) {
            let found: String
            if let kind = kinds[ref.target] {
                guard kind != name.namespace.kind else { continue }
                found = "a \(kind.rawValue) snapshot"
            } else {
                guard foreign.contains(ref.target) else { continue }
                found = "no snapshot"
                objects.insert(ref.target)
            }
            let error = RefError.misdirected(name, ref.target, found: found)
            findings.append(
                Finding(
                    problem: error.message, place: LogFile.place(of: ref.transaction),
                    affects: [name.text], remedy: error.remedy))
        }
        return (findings, objects)
    }
}
