public import Objects
internal import Storage

/// Of which embedding space a snapshot is, or which one it needs.
public enum SpaceNeed: Hashable, Sendable {
    /// It declares a space, or inherits the one of the features it was made from.
    case space(ObjectID)
    /// It declares none, and needs none: a model that generates or reranks, rows without vectors.
    case none
    /// It is a ranker, which needs the space of its features, and nothing says which that is.
    case undeclared

    /// The space; nil when none is known.
    public var id: ObjectID? {
        if case .space(let id) = self { id } else { nil }
    }

    /// What a snapshot needs, which may not be stored yet.
    ///
    /// - Throws: `objects` when its files or its inputs cannot be read.
    public init(of snapshot: Snapshot, in source: some ObjectSource) throws(RefError) {
        var ancestry = Ancestry(in: source)
        self = try ancestry.space(of: snapshot)
    }

    /// The space of the snapshot that is reached by inputs of some roles, such as `dataset.features`; nil when there is no
    /// such input, or it has none.
    ///
    /// - Throws: `objects` when an input cannot be read.
    public static func inherited(
        from path: String, of snapshot: Snapshot, in source: some ObjectSource
    ) throws(RefError) -> ObjectID? {
        guard let roles = Evidence.roles(path), let first = snapshot.input(roles[0]) else {
            return nil
        }
        var ancestry = Ancestry(in: source)
        guard let input = try ancestry.input(Array(roles.dropFirst()), of: first) else {
            return nil
        }
        return try ancestry.snapshot(input).space
    }

    /// Whether two snapshots can be used together.
    ///
    /// - Parameter isLenient: Whether what declares no space and needs none fits everything.
    func fits(_ other: SpaceNeed, isLenient: Bool) -> Bool {
        switch (self, other) {
        case (.space(let left), .space(let right)): left == right
        case (.space, .undeclared), (.undeclared, .space): false
        case (.none, _), (_, .none), (.undeclared, .undeclared): isLenient
        }
    }

    /// For messages, behind "is".
    var phrase: String {
        switch self {
        case .space(let id): "of space \(id.short)"
        case .none: "of no space"
        case .undeclared: "a ranker of no space"
        }
    }

    /// How a ranker gets its space.
    static let remedy =
        "ftictl put models/candidate PATH --input features=REV, with the features it was made from, "
        + "and promote that"
}

extension Ancestry {
    /// Of which embedding space a stored snapshot is, or which one it needs.
    mutating func space(of id: ObjectID) throws(RefError) -> SpaceNeed {
        try space(of: try snapshot(id))
    }

    mutating func space(of snapshot: Snapshot) throws(RefError) -> SpaceNeed {
        if let space = snapshot.space { return .space(space) }
        guard snapshot.kind == .model, try isRanker(snapshot) else { return .none }
        guard let features = try features(of: snapshot),
            let space = try self.snapshot(features).space
        else { return .undeclared }
        return .space(space)
    }

    /// The features that a model says it was made from, itself or by its dataset; nil when it does not.
    mutating func features(of model: Snapshot) throws(RefError) -> ObjectID? {
        if let features = model.input(Release.featuresRole) { return features }
        guard let dataset = model.input("dataset") else { return nil }
        return try snapshot(dataset).input(Release.featuresRole)
    }

    /// Whether a model is one of the built-in trainer's, which its `config.json` says.
    private func isRanker(_ model: Snapshot) throws(RefError) -> Bool {
        guard case .tree(let root, _, _) = model.content else { return false }
        do throws(ObjectError) {
            let tree = try TreeReader(objects).tree(root)
            let config = tree.entries.first {
                $0.name.bytes.elementsEqual(Ranker.configName.utf8) && $0.mode != .directory
            }
            guard let config, config.size <= Ranker.configLimit else { return false }
            let bytes = try objects.read(config.id, limit: Ranker.configLimit)
            guard case .string(let type)? = (try? JSON(parsing: bytes.span))?.object?["type"] else {
                return false
            }
            return type.utf8.elementsEqual(Ranker.type.utf8)
        } catch { throw .objects(error) }
    }
}

/// How the built-in trainer's model is recognised without the pipelines' definitions of it.
private enum Ranker {
    /// The file that says what a model is.
    static let configName = "config.json"
    /// What its member `type` says.
    static let type = "ranker"
    /// The most bytes that the file is read with; the trainer's has some 300.
    static let configLimit = 1 << 20
}

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
