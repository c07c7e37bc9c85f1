import CommandSupport
import Objects
import Refs

/// What the replicas that follow the same refs serve, according to their leases.
struct Fleet {
    /// A process that serves, and the lease in which it says so.
    struct Member {
        let lease: RandomBits
        let state: ServedState
    }

    /// Replicas that serve the same snapshots.
    struct Version {
        let snapshots: [String: ObjectID]
        /// Whether these are the snapshots that the refs name now; nil when that cannot be told, as for a lock file.
        let isCurrent: Bool?
        /// The replicas, by name.
        let members: [Member]

        /// The snapshot to name the version by: the release, or else the features.
        var id: ObjectID? {
            snapshots["release"] ?? snapshots[Release.featuresRole] ?? snapshots.values.min()
        }
    }

    /// What they follow: revisions separated by spaces, or the lock file that pins their versions.
    let follows: String
    /// The snapshots that the revisions name now; nil when they are not revisions, or name nothing.
    let current: [ObjectID]?
    /// The newest transaction that moved a ref among the revisions; nil when none is one.
    let moved: RefState?
    /// The versions that are served, the current one first, then by the number of replicas.
    let versions: [Version]

    /// The fleets that the leases of a repository describe, by what they follow.
    static func all(_ leases: [Lease], in repository: OpenRepository) -> [Fleet] {
        let members = leases.compactMap { lease in
            lease.serving.map { Member(lease: lease.name, state: $0) }
        }
        return Dictionary(grouping: members) { Array($0.state.replica.follows.utf8) }.values
            .map { Fleet($0, in: repository) }.sorted { $0.follows < $1.follows }
    }

    private init(_ members: [Member], in repository: OpenRepository) {
        let follows = members.first?.state.replica.follows ?? ""
        self.follows = follows
        let revisions = follows.split(separator: " ")
        let named = revisions.compactMap { try? repository.snapshotID(String($0)) }
        let current = named.count == revisions.count && !named.isEmpty ? named : nil
        self.current = current
        moved = revisions.compactMap {
            (try? RefName(String($0))).flatMap { repository.state.refs[$0] }
        }
        .max { $0.transaction < $1.transaction }
        versions = Dictionary(grouping: members, by: \.state.snapshots)
            .map { snapshots, members in
                Version(
                    snapshots: snapshots,
                    isCurrent: current.map { Set($0).isSubset(of: snapshots.values) },
                    members: members.sorted {
                        ($0.state.replica.name, $0.lease.hex)
                            < ($1.state.replica.name, $1.lease.hex)
                    })
            }
            .sorted { left, right in
                let ranks = [left, right].map { ($0.isCurrent == true ? 0 : 1, -$0.members.count) }
                return ranks[0] != ranks[1]
                    ? ranks[0] < ranks[1]
                    : (left.id?.hex ?? "") < (right.id?.hex ?? "")
            }
    }

    /// An element of `serving` in `status --json`.
    var json: JSON {
        [
            "follows": .string(follows),
            "current": current.map { .array($0.map { .id($0) }) } ?? .null,
            "versions": .array(versions.map(\.json)),
        ]
    }
}

extension Fleet.Version {
    fileprivate var json: JSON {
        [
            "snapshots": .object(JSONObject(snapshots.map { ($0.key, .id($0.value)) })),
            "current": isCurrent.map { .bool($0) } ?? .null,
            "replicas": .array(members.map(\.json)),
        ]
    }
}

extension Fleet.Member {
    fileprivate var json: JSON {
        [
            "replica": .string(state.replica.name),
            "address": state.replica.address.map { .string($0) } ?? .null,
            "since": .string(state.since.description),
            "transaction": .integer(state.transaction),
            "draining": .array(state.draining.map { .id($0) }),
            "parked": state.parked.map { parked in
                [
                    "snapshots": .object(
                        JSONObject(parked.snapshots.map { ($0.key, .id($0.value)) })),
                    "reason": .string(parked.reason), "since": .string(parked.since.description),
                ]
            } ?? .null,
            "lease": .string(lease.hex),
        ]
    }
}

/// Formats fleets for people.
struct FleetView {
    let style: Style
    let now: Timestamp

    /// A fleet: its versions and, below each, what is unusual about a replica.
    func lines(_ fleet: Fleet) -> [String] {
        let count = Quantity.count(fleet.versions.reduce(0) { $0 + $1.members.count }, "replica")
        var lines = ["\(style.cyan(fleet.follows.printable()))  served by \(count)"]
        for version in fleet.versions {
            let names = version.members.map { $0.state.replica.name.printable() }
            let number = Quantity.count(version.members.count, "replica")
            let state =
                switch version.isCurrent {
                case true?: style.green("current")
                case false?: style.red("behind") + lag(fleet)
                case nil: "pinned"
                }
            lines.append(
                "  \(style.yellow(version.id?.short ?? "nothing"))  \(number) \(state): "
                    + names.joined(separator: ", ").truncated(to: 200))
            for member in version.members { lines += details(member) }
        }
        return lines
    }

    /// `: the ref moved 4 minutes ago`; empty when no ref is followed.
    private func lag(_ fleet: Fleet) -> String {
        fleet.moved.map { ": the ref moved \(Quantity.age(of: $0.time, at: now))" } ?? ""
    }

    /// What a replica drains and what it rejected.
    private func details(_ member: Fleet.Member) -> [String] {
        let name = member.state.replica.name.printable()
        var lines: [String] = []
        if !member.state.draining.isEmpty {
            let ids = member.state.draining.map { style.yellow($0.short) }
            lines.append("    \(name) still drains \(ids.joined(separator: ", "))")
        }
        if let parked = member.state.parked {
            let id = parked.snapshots["release"] ?? parked.snapshots[Release.featuresRole]
            let what = id.map { " \(style.yellow($0.short))" } ?? ""
            lines.append(
                "    \(name) \(style.red("parked"))\(what) \(Quantity.age(of: parked.since, at: now)): "
                    + parked.reason.printable())
        }
        return lines
    }
}
