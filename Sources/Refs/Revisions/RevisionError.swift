public import Objects
public import Storage

/// An error of parsing or resolving a revision.
public enum RevisionError: Diagnosable, Hashable {
    /// The text is not a revision; `column` counts bytes from 1.
    case syntax(text: String, column: Int, reason: String)
    /// The text names neither a ref nor an object; the suggestions are similar refs.
    case unknown(text: String, suggestions: [RefName])
    /// No object has an id with this prefix.
    case noObject(prefix: String)
    /// Several objects have ids with this prefix.
    case ambiguous(prefix: String, candidates: [Candidate])
    /// The chain of first parents is too short.
    case noAncestor(of: ObjectID, generation: Int, available: Int)
    /// A snapshot has no input of this role.
    case noRole(String, of: ObjectID, roles: [String])
    /// A ref has had too few values.
    case noPriorValue(RefName, position: Int, available: Int)
    /// A ref did not exist at that time; `first` is the time of its first value.
    case notYetSet(RefName, RevisionTime, first: Timestamp)
    /// A tree has no such path, or a table no such key.
    case noPath(String, of: ObjectID)
    /// A tree cannot have such a path.
    case badPath(String, reason: String)
    /// A snapshot is needed, and the object is not one.
    case notASnapshot(ObjectID)

    /// An object whose id has an ambiguous prefix.
    public struct Candidate: Hashable, Sendable {
        /// The full id of the object.
        public let id: ObjectID
        /// Its kind as far as is known: `model snapshot`, or its size in bytes.
        public let kind: String
    }

    /// See ``Diagnosable``.
    public var fault: Fault {
        switch self {
        case .syntax, .unknown, .badPath: .usage
        case .noObject, .ambiguous, .noAncestor, .noRole, .noPriorValue, .notYetSet, .noPath,
            .notASnapshot:
            .missing
        }
    }

    /// See ``Diagnosable``.
    public var message: String {
        switch self {
        case .syntax(let text, let column, let reason):
            "\(Quoting.quoted(text)) is not a revision: \(reason) (at byte \(column))"
        case .unknown(let text, let suggestions):
            "\(Quoting.quoted(text)) is neither a ref, such as models/current, nor an id"
                + Suggestions.question(suggestions)
        case .noObject(let prefix): "there is no object \(prefix)"
        case .ambiguous(let prefix, let candidates):
            "\(prefix) is ambiguous: "
                + candidates.map { "\($0.id.short) (\($0.kind))" }.joined(separator: ", ")
        case .noAncestor(let id, let generation, let available):
            "\(id.short) has no ancestor \(generation) generations back: its history has only "
                + "\(available)"
        case .noRole(let role, let id, let roles):
            "\(id.short) has no input \(Quoting.quoted(role)); "
                + (roles.isEmpty ? "it has none" : "it has " + roles.joined(separator: ", "))
        case .noPriorValue(let name, let position, let available):
            "\(name) has no value \(position) moves ago: it has had only \(available)"
        case .notYetSet(let name, let time, let first):
            "\(name) has no value at @{\(time)}: its first value is from \(first)"
        case .noPath(let path, let id): "there is no \(Quoting.quoted(path)) in \(id.short)"
        case .badPath(let path, let reason):
            "\(Quoting.quoted(path)) is not a path inside a snapshot: \(reason)"
        case .notASnapshot(let id): "object \(id.short) is not a snapshot"
        }
    }

    /// See ``Diagnosable``.
    public var remedy: String? {
        switch self {
        case .unknown: "ftictl refs lists the refs"
        case .syntax, .badPath: "ftictl --help explains revisions"
        case .noObject: "ftictl log lists the versions with their ids"
        case .noAncestor: "ftictl log --graph shows the ancestors of versions"
        case .noRole(_, let id, _): "ftictl show \(id.short) lists its inputs"
        case .notASnapshot(let id): "ftictl show \(id.short) describes it"
        case .ambiguous: "give more digits"
        case .noPriorValue(let name, _, _), .notYetSet(let name, _, _):
            "ftictl reflog \(name) lists its values"
        case .noPath(_, let id): "ftictl ls \(id.short) lists its contents"
        }
    }
}

/// Suggests refs for a mistyped name.
enum Suggestions {
    private static let limit = 3

    /// The refs nearest to `text`, nearest first; empty when none is near.
    ///
    /// A ref is near when its last component is the same, or when the edit distance (Levenshtein) is at most 2 or a
    /// third of its length.
    static func near(_ text: String, among names: some Sequence<RefName>) -> [RefName] {
        let wanted = Array(text.utf8)
        let last = Array(wanted.split(separator: 0x2F).last ?? [])
        var ranked: [(distance: Int, name: RefName)] = []
        for name in names {
            let candidate = Array(name.text.utf8)
            let distance = distance(wanted, candidate)
            if name.components.last.map({ Array($0.utf8) == last }) ?? false {
                ranked.append((min(distance, 1), name))
            } else if distance <= max(2, candidate.count / 3) {
                ranked.append((distance, name))
            }
        }
        ranked.sort { ($0.distance, $0.name) < ($1.distance, $1.name) }
        return ranked.prefix(limit).map(\.name)
    }

    /// `; did you mean models/current?`, or nothing.
    static func question(_ names: [RefName]) -> String {
        names.isEmpty
            ? "" : "; did you mean " + names.map(\.text).joined(separator: " or ") + "?"
    }

    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        // Names have at most 200 bytes, so a longer text is never near.
        guard left.count <= RefName.byteLimit, right.count <= RefName.byteLimit else { return .max }
        var row = Array(0...right.count)
        for (i, byte) in left.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, other) in right.enumerated() {
                let above = row[j + 1]
                row[j + 1] = min(above + 1, row[j] + 1, diagonal + (byte == other ? 0 : 1))
                diagonal = above
            }
        }
        return row[right.count]
    }
}
