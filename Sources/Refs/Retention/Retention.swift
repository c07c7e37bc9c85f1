public import Objects

/// How long what no ref points at any more is kept.
public struct Retention: Hashable, Sendable {
    /// Values that a ref had within so many milliseconds are kept.
    public var milliseconds: Int
    /// At least so many values of every ref that exists are kept, the present one included.
    public var count: Int

    /// 30 days, and twenty values: a month of daily versions can be gone back to, and a ref that moves once a
    /// quarter keeps five years.
    public static let standard = Retention(milliseconds: 30 * 86_400_000, count: 20)

    /// Makes a retention.
    public init(milliseconds: Int, count: Int) {
        self.milliseconds = milliseconds
        self.count = count
    }
}

/// Why something is kept.
public enum KeepingReason: Hashable, Sendable {
    /// A ref points there.
    case ref(RefName)
    /// A ref pointed there, from that transaction on, within the retention.
    case history(RefName, transaction: Int)
    /// A lease says that somebody needs it.
    case lease(String)

    /// How a person says it: `features/prod`, `models/current, set by transaction 12`.
    public var description: String {
        switch self {
        case .ref(let name): name.text
        case .history(let name, let transaction): "\(name.text), set by transaction \(transaction)"
        case .lease(let what): "lease of \(Quoting.quoted(what))"
        }
    }
}

/// A snapshot that is kept with all it needs.
package struct RetentionRoot {
    package let snapshot: ObjectID
    package let reason: KeepingReason

    /// Whether the log promises that all of it is there.
    package var isPromised: Bool {
        if case .ref = reason { true } else { false }
    }
}

extension Log {
    /// The snapshots that refs point at, and then those that they pointed at within a retention.
    ///
    /// Reads each entry once, however many refs it moved.
    ///
    /// - Parameters:
    ///   - time: The present time.
    ///   - after: Values from this transaction on only.
    package func roots(
        in state: State, _ retention: RetentionRules, at time: Int, after: Int = -1
    ) throws(RefError) -> [RetentionRoot] {
        var roots: [RetentionRoot] = []
        for (name, ref) in state.refs.sorted(by: { $0.key < $1.key })
        where ref.transaction > after {
            roots.append(RetentionRoot(snapshot: ref.target, reason: .ref(name)))
        }
        var walks: [Walk] = []
        var cursors: [HistoryCursor] = []
        for name in (Array(state.refs.keys) + Array(state.removedRefs.keys)).sorted() {
            var rule = retention.retention(of: name)
            if state.refs[name] == nil { rule.count = 0 }
            let walk = Walk(rule)
            let cursor = HistoryCursor(name, in: state)
            guard walk.goesOn(to: cursor.upcoming, after: after, at: time) else { continue }
            walks.append(walk)
            cursors.append(cursor)
        }
        try follow(cursors, in: state) { (index, version, upcoming) throws(RefError) in
            walks[index].take(version, of: cursors[index].name, at: time)
            return walks[index].goesOn(to: upcoming, after: after, at: time)
        }
        return roots + walks.flatMap(\.roots)
    }
}

/// The values of one ref from the newest backwards, as far as they are kept.
private struct Walk {
    private let retention: Retention
    private(set) var roots: [RetentionRoot] = []
    private var count = 0
    /// When the value that comes next was succeeded; the present one never was.
    private var end = Int.max

    init(_ retention: Retention) { self.retention = retention }

    /// Whether the value that comes next is kept.
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

/// For how long each ref keeps what it pointed at: the first rule whose pattern matches decides, else the base.
public struct RetentionRules: Hashable, Sendable {
    /// A retention of some refs.
    public struct Rule: Hashable, Sendable {
        /// The refs.
        public let refs: RefPattern
        /// What they keep.
        public let retention: Retention

        /// Makes a rule.
        public init(_ refs: RefPattern, _ retention: Retention) {
            self.refs = refs
            self.retention = retention
        }
    }

    /// What refs keep that no rule is about.
    public let base: Retention
    /// The rules, the first one that matches first.
    public let rules: [Rule]

    /// What is kept where nobody says otherwise.
    public static let standard = RetentionRules(.standard)
    /// The most rules that a policy may have.
    public static let countLimit = 256

    /// Makes rules.
    public init(_ base: Retention, rules: [Rule] = []) {
        self.base = base
        self.rules = rules
    }

    /// As people say it: `30d and 20 values`.
    public var text: String {
        base.text
            + (rules.isEmpty ? "" : ", with \(rules.count) more rule\(rules.count == 1 ? "" : "s")")
    }

    /// What a ref keeps.
    public func retention(of name: RefName) -> Retention {
        rules.first { $0.refs.matches(name) }?.retention ?? base
    }

    /// The rules with another time, another count, or both, for every ref.
    package func replacing(milliseconds: Int?, count: Int?) -> RetentionRules {
        func replaced(_ retention: Retention) -> Retention {
            Retention(
                milliseconds: milliseconds ?? retention.milliseconds,
                count: count ?? retention.count)
        }
        return RetentionRules(
            replaced(base), rules: rules.map { Rule($0.refs, replaced($0.retention)) })
    }

    /// Whether every ref keeps at least what other rules demand.
    ///
    /// Rules for the same patterns are compared one by one; others as if each ref kept the least of the one and
    /// had to keep the most of the other.
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
    /// The rules as they stand in a policy and in the log.
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

    /// Reads rules; `keep`, `keepLast` and `refs` may be left out.
    ///
    /// - Parameter key: The member that they are, for errors.
    init(_ json: JSON, as key: String) throws(JSONSchemaError) {
        var member = JSONObjectReader(json.object ?? JSONObject(), path: key)
        guard json.object != nil else {
            throw JSONObjectReader(JSONObject()).error(
                key, "must be an object such as {\"keep\":\"30d\",\"keepLast\":20}")
        }
        let base = try Retention(&member, otherwise: .standard)
        var rules: [Rule] = []
        let values = member.has("refs") ? try member.array("refs") : []
        guard values.count <= Self.countLimit else {
            throw member.error("refs", "must be at most \(Self.countLimit)")
        }
        for (index, value) in values.enumerated() {
            var item = JSONObjectReader(
                value.object ?? JSONObject(), path: "\(key).refs[\(index)]")
            let text = try item.string("ref")
            let pattern: RefPattern
            do throws(RefError) { pattern = try RefPattern(text) } catch {
                throw item.error("ref", error.message)
            }
            rules.append(Rule(pattern, try Retention(&item, otherwise: base)))
            try item.finish()
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
                throw reader.error("keep", "must be a span of time such as 30d")
            }
            milliseconds = span.milliseconds
        }
        if reader.has("keepLast") { count = try reader.count("keepLast") }
        guard count >= 1 else { throw reader.error("keepLast", "must be at least 1") }
    }
}

// MARK: Rights

extension Authority {
    /// What is wrong with a collection that keeps so much; nil when nothing is.
    ///
    /// Under a policy with signatures only an admin collects what the policy keeps: whoever may write to one
    /// namespace must not shorten the history of another.
    func objection(toKeeping rules: RetentionRules, by key: AccessPolicy.Key) -> Objection? {
        let demanded = state.retention
        if key.isAdmin || rules.keepsAtLeast(demanded) { return nil }
        let admins = state.policy?.keys.filter(\.isAdmin).map(\.name) ?? []
        return Objection(
            reason: "key \(key.name) may not collect with less than the policy keeps, "
                + "\(demanded.text): it is no admin",
            remedy: "ftictl gc without --keep and --keep-last, or ask an admin: "
                + admins.joined(separator: ", "))
    }
}

extension State {
    /// What a collection keeps unless an admin says otherwise.
    public var retention: RetentionRules { policy?.retention ?? .standard }
}
