public import Objects

/// How long old values of a ref are kept.
public struct Retention: Hashable, Sendable {
    /// The age in milliseconds up to which values are kept.
    public var milliseconds: Int
    /// The least number of values that are kept of every existing ref, the present one included.
    public var count: Int

    /// 30 days and 20 values: enough to go back through a month of daily versions, and through five years of a ref that
    /// moves once a quarter.
    public static let standard = Retention(milliseconds: 30 * 86_400_000, count: 20)

    /// Makes a retention, which keeps a value that satisfies either limit.
    public init(milliseconds: Int, count: Int) {
        self.milliseconds = milliseconds
        self.count = count
    }
}

/// The reason why a snapshot is kept.
public enum KeepingReason: Hashable, Sendable {
    /// A ref points at it.
    case ref(RefName)
    /// A ref pointed at it, from that transaction on, within the retention.
    case history(RefName, transaction: Int)
    /// A lease of this purpose protects it.
    case lease(String)

    /// The reason for people: `features/prod`, `models/current, set by transaction 12`.
    public var description: String {
        switch self {
        case .ref(let name): name.text
        case .history(let name, let transaction): "\(name.text), set by transaction \(transaction)"
        case .lease(let what): "lease of \(Quoting.quoted(what))"
        }
    }
}

/// A snapshot that is kept with everything it needs.
package struct RetentionRoot {
    package let snapshot: ObjectID
    package let reason: KeepingReason

    /// Whether the log promises that the snapshot is complete.
    package var isPromised: Bool {
        if case .ref = reason { true } else { false }
    }
}

extension Log {
    /// The targets of refs, followed by their former targets within a retention.
    ///
    /// Reads each entry once, however many refs it moved.
    ///
    /// - Parameters:
    ///   - time: The present time in milliseconds.
    ///   - after: The transaction after which values must have been set.
    package func roots(
        in state: State, _ retention: RetentionRules, at time: Int, after: Int = -1
    ) throws(RefError) -> [RetentionRoot] {
        var roots: [RetentionRoot] = []
        for (name, ref) in state.refs.sorted(by: { $0.key < $1.key })
        where ref.transaction > after {
            roots.append(RetentionRoot(snapshot: ref.target, reason: .ref(name)))
        }
        var histories: [RetainedHistory] = []
        var cursors: [HistoryCursor] = []
        for name in (Array(state.refs.keys) + Array(state.removedRefs.keys)).sorted() {
            var rule = retention.retention(of: name)
            if state.refs[name] == nil { rule.count = 0 }
            let history = RetainedHistory(rule)
            let cursor = HistoryCursor(name, in: state)
            guard history.goesOn(to: cursor.upcoming, after: after, at: time) else { continue }
            histories.append(history)
            cursors.append(cursor)
        }
        try follow(cursors, in: state) { (index, version, upcoming) throws(RefError) in
            histories[index].take(version, of: cursors[index].name, at: time)
            return histories[index].goesOn(to: upcoming, after: after, at: time)
        }
        return roots + histories.flatMap(\.roots)
    }
}

/// The values of one ref that are kept, from the newest back.
private struct RetainedHistory {
    private let retention: Retention
    private(set) var roots: [RetentionRoot] = []
    private var count = 0
    /// The time at which the next value was replaced; the present one never was.
    private var end = Int.max

    init(_ retention: Retention) { self.retention = retention }

    /// Whether the next value is kept.
    ///
    /// - Parameter upcoming: The entry that set it; nil when there is none.
    func goesOn(to upcoming: Int?, after: Int, at time: Int) -> Bool {
        guard let upcoming, upcoming > after else { return false }
        return count < retention.count || end > time - retention.milliseconds
    }

    mutating func take(_ version: RefVersion, of name: RefName, at time: Int) {
        if let target = version.target, count > 0 {
            roots.append(
                RetentionRoot(
                    snapshot: target,
                    reason: .history(name, transaction: version.entry.number)))
        }
        end = version.entry.moment(asOf: time).milliseconds
        count += 1
    }
}

/// The retention of each ref: that of the first rule whose pattern matches, or else the base.
public struct RetentionRules: Hashable, Sendable {
    /// A retention of some refs.
    public struct Rule: Hashable, Sendable {
        /// The refs that it applies to.
        public let refs: RefPattern
        /// The retention of these refs.
        public let retention: Retention

        /// Makes a rule for the refs that a pattern matches.
        public init(_ refs: RefPattern, _ retention: Retention) {
            self.refs = refs
            self.retention = retention
        }
    }

    /// The retention of refs that no rule matches.
    public let base: Retention
    /// The rules; the first match decides.
    public let rules: [Rule]

    /// The retention without an access policy.
    public static let standard = RetentionRules(.standard)
    /// The most rules that an access policy may have.
    public static let countLimit = 256

    /// Makes rules; without any, every ref has the base retention.
    public init(_ base: Retention, rules: [Rule] = []) {
        self.base = base
        self.rules = rules
    }

    /// The rules for people: `30d and 20 values`.
    public var text: String {
        base.text
            + (rules.isEmpty ? "" : ", with \(rules.count) more rule\(rules.count == 1 ? "" : "s")")
    }

    /// The retention of a ref: that of the first rule that matches it, or else the base.
    public func retention(of name: RefName) -> Retention {
        rules.first { $0.refs.matches(name) }?.retention ?? base
    }

    /// The rules with another time or another count for every ref.
    package func replacing(milliseconds: Int?, count: Int?) -> RetentionRules {
        func replaced(_ retention: Retention) -> Retention {
            Retention(
                milliseconds: milliseconds ?? retention.milliseconds,
                count: count ?? retention.count)
        }
        return RetentionRules(
            replaced(base), rules: rules.map { Rule($0.refs, replaced($0.retention)) })
    }

    /// Whether every ref keeps at least as much as under other rules.
    ///
    /// Rules with the same patterns are compared one by one. Otherwise the least that any ref keeps here must suffice
    /// for the most that any ref keeps there.
    func keepsAtLeast(_ other: RetentionRules) -> Bool {
        if rules.map(\.refs) == other.rules.map(\.refs) {
            return zip(all, other.all).allSatisfy { $0.keepsAtLeast($1) }
        }
        return all.allSatisfy { own in other.all.allSatisfy { own.keepsAtLeast($0) } }
    }

    private var all: [Retention] { [base] + rules.map(\.retention) }
}

extension Retention {
    fileprivate func keepsAtLeast(_ other: Retention) -> Bool {
        milliseconds >= other.milliseconds && count >= other.count
    }

    fileprivate var text: String {
        "\(span) and \(count) value\(count == 1 ? "" : "s")"
    }
}

// MARK: Encoding

extension RetentionRules {
    /// The rules as JSON, as they stand in an access policy and in the log.
    public var json: JSON {
        var object = base.object
        if !rules.isEmpty {
            object["refs"] = .array(
                rules.map { rule in
                    var object = rule.retention.object
                    object["ref"] = .string(rule.refs.description)
                    return .object(object)
                })
        }
        return .object(object)
    }

    /// Decodes rules; `keep`, `keepLast` and `refs` are optional.
    ///
    /// - Parameter key: The name of the member, for errors.
    init(_ json: JSON, as key: String) throws(JSONSchemaError) {
        var member = JSONObjectReader(json.object ?? JSONObject(), path: key)
        guard json.object != nil else {
            throw JSONObjectReader(JSONObject()).error(
                key, "must be an object such as {\"keep\":\"30d\",\"keepLast\":20}")
        }
        let base = try Retention(&member, otherwise: .standard)
        var rules: [Rule] = []
        if member.has("refs") {
            rules = try member.objects("refs") { (item) throws(JSONSchemaError) in
                Rule(try item.refPattern("ref"), try Retention(&item, otherwise: base))
            }
        }
        guard rules.count <= Self.countLimit else {
            throw member.error("refs", "must have at most \(Self.countLimit) elements")
        }
        try member.finish()
        self.init(base, rules: rules)
    }
}

extension Retention {
    private var span: TimeSpan { TimeSpan(clamping: milliseconds) }

    fileprivate var object: JSONObject {
        var object = JSONObject()
        object["keep"] = .string(span.description)
        object["keepLast"] = .integer(count)
        return object
    }

    fileprivate init(
        _ reader: inout JSONObjectReader, otherwise other: Retention
    ) throws(JSONSchemaError) {
        self = other
        if reader.has("keep") {
            guard let span = TimeSpan(try reader.string("keep")) else {
                throw reader.error("keep", "must be a duration such as 30d")
            }
            milliseconds = span.milliseconds
        }
        if reader.has("keepLast") { count = try reader.count("keepLast") }
        guard count >= 1 else { throw reader.error("keepLast", "must be at least 1") }
    }
}

// MARK: Rights

extension Authority {
    /// The objection to a collection with this retention; nil when there is none.
    ///
    /// Under an access policy that demands signatures, only an admin may collect what that policy keeps: a key for one
    /// namespace must not shorten the history of another.
    func objection(toKeeping rules: RetentionRules, by key: AccessPolicy.Key) -> Objection? {
        let demanded = state.retention
        if key.isAdmin || rules.keepsAtLeast(demanded) { return nil }
        return Objection(
            reason: "key \(key.name) may not collect what the access policy keeps, "
                + "\(demanded.text): it is not an admin",
            remedy: "ftictl gc without --keep and --keep-last, or ask an admin: "
                + state.admins)
    }
}

extension State {
    /// The names of the admins, separated by commas.
    var admins: String {
        (accessPolicy?.keys.filter(\.isAdmin).map(\.name) ?? []).joined(separator: ", ")
    }

    /// The retention of collections unless an admin decides otherwise.
    public var retention: RetentionRules { accessPolicy?.retention ?? .standard }
}
