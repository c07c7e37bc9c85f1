public import Objects
internal import Storage

/// The embedding space that a snapshot has or needs.
public enum SpaceNeed: Hashable, Sendable {
    /// The declared space, or that of the features that the snapshot was made from.
    case space(ObjectID)
    /// No space is declared or needed: a model that generates or reranks, or rows without vectors.
    case none
    /// A ranker, which needs a space, declares neither one nor features that have one.
    case undeclared

    /// The space; nil when none is known.
    public var id: ObjectID? {
        if case .space(let id) = self { id } else { nil }
    }

    /// The need of a snapshot, stored or not.
    ///
    /// - Throws: `objects` when its files or inputs cannot be read.
    public init(of snapshot: Snapshot, in source: some ObjectSource) throws(RefError) {
        var ancestry = Ancestry(in: source)
        self = try ancestry.space(of: snapshot)
    }

    /// The space of the input at the end of a path of roles, such as `dataset.features`; nil when there is no such
    /// input, or it has no space.
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
    /// - Parameter isLenient: Whether a snapshot that neither declares nor needs a space fits everything, and rankers
    ///   without a known space fit each other.
    func fits(_ other: SpaceNeed, isLenient: Bool) -> Bool {
        switch (self, other) {
        case (.space(let left), .space(let right)): left == right
        case (.space, .undeclared), (.undeclared, .space): false
        case (.none, _), (_, .none), (.undeclared, .undeclared): isLenient
        }
    }

    /// The phrase after "is" in messages.
    var phrase: String {
        switch self {
        case .space(let id): "of space \(id.short)"
        case .none: "of no space"
        case .undeclared: "a ranker of no space"
        }
    }

    /// The command that gives a ranker its space.
    static let remedy =
        "ftictl put models/candidate PATH --input features=REV, with the features it was made from, "
        + "and promote that"
}

extension Ancestry {
    /// The need of a stored snapshot.
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

    /// The features that a model declares, directly or through its dataset; nil when it declares none.
    mutating func features(of model: Snapshot) throws(RefError) -> ObjectID? {
        if let features = model.input(Release.featuresRole) { return features }
        guard let dataset = model.input("dataset") else { return nil }
        return try snapshot(dataset).input(Release.featuresRole)
    }

    /// Whether a model comes from the built-in trainer, according to its `config.json`.
    func isRanker(_ model: Snapshot) throws(RefError) -> Bool {
        guard let config = try file(Ranker.configName, of: model), config.size <= Ranker.configLimit
        else { return false }
        let bytes = try wrapping(
            objects.read(config.id, limit: Ranker.configLimit), as: RefError.objects)
        let type = (try? JSON(parsing: bytes.span))?.object?["type"]?.string
        return type?.utf8.elementsEqual(Ranker.type.utf8) ?? false
    }

    /// A file at the top of a snapshot's tree; nil when there is none.
    func file(_ name: String, of snapshot: Snapshot) throws(RefError) -> TreeEntry? {
        guard case .tree(let root, _, _) = snapshot.content else { return nil }
        let tree = try wrapping(TreeReader(objects).tree(root), as: RefError.objects)
        return tree.entries.first {
            $0.name.bytes.elementsEqual(name.utf8) && $0.mode != .directory
        }
    }
}

/// The marks of a model of the built-in trainer, repeated here because this module cannot import the pipelines.
private enum Ranker {
    /// The file that describes a model.
    static let configName = "config.json"
    /// The value of its member `type`.
    static let type = "ranker"
    /// The maximum number of bytes of the file that are read; the trainer writes about 300.
    static let configLimit = 1 << 20
}

/// Walks from snapshot to snapshot by parents and inputs, and caches the first ones that it reads.
package struct Ancestry<Source: ObjectSource> {
    let objects: Source
    private var known: [ObjectID: Snapshot] = [:]
    /// Whether a search stopped at a collected version, and so may have missed an ancestor.
    package private(set) var isCut = false

    /// The number of ancestors at which a search gives up: more than any ref has versions in years.
    static var limit: Int { 20_000 }
    /// The maximum number of snapshots that are cached.
    private static var knownLimit: Int { 256 }

    init(in objects: Source) { self.objects = objects }

    mutating func snapshot(_ id: ObjectID) throws(RefError) -> Snapshot {
        if let snapshot = known[id] { return snapshot }
        let snapshot = try wrapping(Snapshot(id, in: objects), as: RefError.objects)
        if known.count < Self.knownLimit { known[id] = snapshot }
        return snapshot
    }

    /// The input at the end of a path of roles.
    ///
    /// - Returns: Nil when an input on the path does not exist.
    mutating func input(_ roles: [String], of id: ObjectID) throws(RefError) -> ObjectID? {
        var current = id
        for role in roles {
            guard let next = try snapshot(current).input(role) else { return nil }
            current = next
        }
        return current
    }

    /// The parents of a snapshot; none when the snapshot was collected.
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

    /// Whether a snapshot equals another one or is an ancestor of it, as far as the ancestors exist and the search goes
    /// (``limit``).
    mutating func isAncestor(_ id: ObjectID, orSameAs other: ObjectID) throws(RefError) -> Bool {
        var seen: Set<ObjectID> = [other]
        // Breadth first, because most snapshots were made from a recent one.
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
    /// The input of a role; roles are compared by their bytes.
    func input(_ role: String) -> ObjectID? { Self.value(role, in: inputs) }

    /// The metric of a name; names are compared by their bytes.
    func metric(_ name: String) -> Double? { Self.value(name, in: metrics) }

    /// Compares bytes, because dictionaries consider canonically equivalent keys equal; a snapshot has no two such
    /// keys.
    private static func value<Value>(_ key: String, in members: [String: Value]) -> Value? {
        members.index(forKey: key).flatMap { index in
            members[index].key.utf8.elementsEqual(key.utf8) ? members[index].value : nil
        }
    }
}
