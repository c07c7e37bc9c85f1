public import Objects

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
