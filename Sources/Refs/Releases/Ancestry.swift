package import Objects

/// Snapshots that a question leads through, each read once.
package struct Ancestry<Source: ObjectSource> {
    let objects: Source
    private var known: [ObjectID: Snapshot] = [:]
    /// Whether a search came to a version that was collected, so that an answer may have been another one before.
    package private(set) var isCut = false

    /// Ancestors that are looked at before the search is given up: more than any ref has versions in years.
    static var limit: Int { 20_000 }
    /// Snapshots that are kept: those that are asked for again.
    private static var knownLimit: Int { 256 }

    init(in objects: Source) { self.objects = objects }

    mutating func snapshot(_ id: ObjectID) throws(RefError) -> Snapshot {
        if let snapshot = known[id] { return snapshot }
        do throws(ObjectError) {
            let snapshot = try Snapshot(id, in: objects)
            if known.count < Self.knownLimit { known[id] = snapshot }
            return snapshot
        } catch { throw .objects(error) }
    }

    /// The snapshot that is reached from another by inputs of these roles, one after the other.
    ///
    /// - Returns: Nil when one of them is not there.
    mutating func input(_ roles: [String], of id: ObjectID) throws(RefError) -> ObjectID? {
        var current = id
        for role in roles {
            guard let next = try snapshot(current).input(role) else { return nil }
            current = next
        }
        return current
    }

    /// The parents of a snapshot; none when it is an older version that was collected.
    private mutating func parents(of id: ObjectID) throws(RefError) -> [ObjectID] {
        do throws(RefError) {
            return try snapshot(id).parents
        } catch {
            switch error {
            case .objects(.missing(id)), .objects(.collected(id, _)):
                isCut = true
                return []
            default: throw error
            }
        }
    }

    /// Whether a snapshot is another one, or a parent of it, or a parent's, and so on, as far as they are there.
    mutating func isAncestor(_ id: ObjectID, orSameAs other: ObjectID) throws(RefError) -> Bool {
        var seen: Set<ObjectID> = [other]
        // The nearest come first: what was promoted was mostly made from something recent.
        var level = [other]
        while !level.isEmpty {
            if level.contains(id) { return true }
            var next: [ObjectID] = []
            for descendant in level {
                for parent in try parents(of: descendant) where seen.insert(parent).inserted {
                    next.append(parent)
                }
            }
            guard seen.count <= Self.limit else { return false }
            level = next
        }
        return false
    }
}

extension Snapshot {
    /// The input in a role, which is compared by its bytes.
    func input(_ role: String) -> ObjectID? { Self.value(role, in: inputs) }

    /// The metric of a name, which is compared by its bytes.
    func metric(_ name: String) -> Double? { Self.value(name, in: metrics) }

    /// Keys of a dictionary are equal when they are canonically equivalent, and no two of those are in a snapshot.
    private static func value<Value>(_ key: String, in members: [String: Value]) -> Value? {
        members.index(forKey: key).flatMap { index in
            members[index].key.utf8.elementsEqual(key.utf8) ? members[index].value : nil
        }
    }
}
