internal import FileFormats
internal import Objects
internal import Storage

/// The gates that judge a snapshot on its own.
extension GateEvaluation {
    mutating func metric(
        _ name: String, _ atLeast: Double?, _ atMost: Double?, of target: ObjectID, for ref: RefName
    ) throws(RefError) -> GateAnswer {
        let bounds = [
            atLeast.map { "at least \(Self.text($0))" }, atMost.map { "at most \(Self.text($0))" },
        ].compactMap(\.self).joined(separator: " and ")
        let shown = Self.shown(name)
        let demanded = "\(shown) of \(bounds)"
        guard let value = try ancestry.snapshot(target).metric(name) else {
            return GateAnswer(
                passes: false, demanded: demanded, found: "it has no such metric",
                remedy: "ftictl put \(Self.origin(of: ref)) PATH --metric \(shown)=NUMBER, "
                    + "and promote that")
        }
        // NaN satisfies no bound.
        let passes = value >= atLeast ?? -.infinity && value <= atMost ?? .infinity
        return GateAnswer(
            passes: passes, demanded: demanded, found: "it has \(Self.text(value))",
            remedy: passes ? nil : try promotion(to: ref, name, bounds, atLeast, atMost))
    }

    /// The command that promotes a version whose metric is within the bounds; it names another ref that points at such
    /// a version, if there is one.
    private mutating func promotion(
        to ref: RefName, _ metric: String, _ bounds: String, _ atLeast: Double?, _ atMost: Double?
    ) throws(RefError) -> String {
        let others = namesToSuggest(ref.namespace).filter { $0 != ref }
        for other in others.prefix(Self.searchLimit) {
            guard let id = state.target(of: other),
                let value = try ancestry.snapshot(id).metric(metric),
                value >= atLeast ?? -.infinity, value <= atMost ?? .infinity
            else { continue }
            return "ftictl promote \(other) \(ref)"
        }
        return "ftictl promote REV \(ref), where REV has \(Self.shown(metric)) of \(bounds)"
    }

    mutating func evidence(
        _ facts: [Evidence], of target: ObjectID, for ref: RefName
    ) throws(RefError) -> GateAnswer {
        let snapshot = try ancestry.snapshot(target)
        var missing: [Evidence] = []
        for fact in facts {
            let isThere: Bool
            switch fact {
            case .metric(let name): isThere = snapshot.metric(name)?.isFinite ?? false
            case .parameter(let name): isThere = snapshot.params[name] != nil
            case .input(let roles): isThere = try ancestry.input(roles, of: target) != nil
            }
            if !isThere { missing.append(fact) }
        }
        let options = missing.map { fact in
            switch fact {
            case .metric(let name): " --metric \(Self.shown(name))=NUMBER"
            case .parameter(let name): " --param \(Self.shown(name))=VALUE"
            case .input(let roles): " --input \(Self.shown(roles.first ?? ""))=REV"
            }
        }
        return GateAnswer(
            passes: missing.isEmpty, demanded: Self.list(facts.map(\.description)),
            found: missing.isEmpty
                ? "it has all of them" : "it lacks \(Self.list(missing.map(\.description)))",
            remedy: "ftictl put \(Self.origin(of: ref)) PATH\(options.joined()), and promote that")
    }

    mutating func formats(
        _ allowed: [FileFormat], of target: ObjectID, for ref: RefName
    ) throws(RefError) -> GateAnswer {
        let names = allowed.map(\.rawValue)
        let demanded = "no files but \(names.joined(separator: ", "))"
        guard case .tree(let root, _, _) = try ancestry.snapshot(target).content else {
            return GateAnswer(passes: true, demanded: demanded, found: "it has rows and no files")
        }
        let (others, files) = try wrapping(
            self.files(below: root, otherThan: allowed), as: RefError.objects)
        let rest = others.count > 3 ? ", and so on: \(others.count) of \(files) files" : ""
        return GateAnswer(
            passes: others.isEmpty, demanded: demanded,
            found: others.isEmpty
                ? "all \(files) of its files are" : others.prefix(3).joined(separator: ", ") + rest,
            remedy:
                "ftictl put \(Self.origin(of: ref)) PATH with files of those formats, and promote that"
        )
    }

    /// Describes the files of other formats, and counts all files.
    private func files(
        below root: ObjectID, otherThan allowed: [FileFormat]
    ) throws(ObjectError) -> (others: [String], count: Int) {
        var others: [String] = []
        var files = 0
        // The format of a file depends only on its content, so equal directories are visited once.
        var walk = try TreeWalk(root, in: objects, visiting: .eachDirectoryOnce)
        while let element = try walk.next() {
            guard element.entry.mode != .directory else { continue }
            files += 1
            let format = try FileFormat.detect(element.entry.id, in: objects)
            guard !allowed.contains(format) else { continue }
            others.append("\(Quoting.plain(element.path.description)) is \(format.rawValue)")
        }
        return (others, files)
    }

    func approvals(
        _ count: Int, _ keys: [String]?, of target: ObjectID?, for ref: RefName
    ) -> GateAnswer {
        var current = state
        current.pendingApprovals.remove(lapsed)
        let given = current.approvers(of: ref, to: target, at: time, among: keys)
        let all = state.approvers(of: ref, to: target, at: nil, among: keys)
        let expired = all.filter { name in !given.contains { $0.utf8.elementsEqual(name.utf8) } }
        let by = keys.map { " by \($0.joined(separator: ", "))" } ?? ""
        return GateAnswer(
            passes: given.count >= count,
            demanded: count == 1 ? "an approval\(by)" : "\(count) approvals\(by)",
            found: (given.isEmpty
                ? "it has none" : "it has \(given.count) (\(given.joined(separator: ", ")))")
                + (expired.isEmpty ? "" : "; expired: \(expired.joined(separator: ", "))"),
            remedy: Approval.command(for: ref, to: target.map { revision($0) })
                + (keys.map { ", by one of \($0.joined(separator: ", "))" } ?? ""))
    }

    func fixed(_ move: RefChange) -> GateAnswer {
        GateAnswer(
            passes: move.old == nil, demanded: "that it never moves once it exists",
            found: move.old.map { "it is at \($0.short)" } ?? "it is new",
            remedy: move.new.map { "ftictl promote \(revision($0)) REF, where REF is another name" }
                ?? "ftictl policy show; an admin can --override the gate")
    }

    /// The ref to put a new version on before it is promoted.
    private static func origin(of ref: RefName) -> String { "\(ref.namespace.rawValue)/candidate" }

    private static func text(_ number: Double) -> String {
        number.isFinite ? JSON.number(number).canonicalText : "\(number)"
    }

    /// A name for messages, never shortened, so that the command in a remedy works.
    static func shown(_ name: String) -> String { Quoting.plain(name, limit: Gate.nameLimit) }

    private static func list(_ items: [String]) -> String {
        items.map(shown).joined(separator: ", ")
    }
}

/// The gates that compare a snapshot with the target of another ref after the transaction.
extension GateEvaluation {
    mutating func input(
        _ roles: [String], of target: ObjectID, for ref: RefName, isAncestorOf other: RefName
    ) throws(RefError) -> GateAnswer {
        let path = Self.shown(roles.joined(separator: "."))
        let demanded = "that its \(path) is \(other) or came before it"
        var current = target
        for role in roles {
            guard let next = try ancestry.snapshot(current).input(role) else {
                return GateAnswer(
                    passes: false, demanded: demanded,
                    found: current == target
                        ? "it has no input \(Self.shown(role))"
                        : "its input \(current.short) has no input \(Self.shown(role))",
                    remedy: "ftictl promote REV \(ref), where REV has the input \(path)")
            }
            current = next
        }
        // Only a command that moves both refs is certain to satisfy the gate.
        let both = "ftictl promote \(current.short) \(other) \(revision(target)) \(ref)"
        guard let descendant = self.target(of: other) else {
            return GateAnswer(
                passes: false, demanded: demanded,
                found: "it is \(current.short), and there is no \(other)", remedy: both)
        }
        let passes = try ancestry.isAncestor(current, orSameAs: descendant)
        return GateAnswer(
            passes: passes, demanded: demanded,
            found: "it is \(current.short), and \(other) is \(descendant.short)", remedy: both)
    }

    /// - Parameter isLenient: Whether a missing ref, or a snapshot that neither declares nor needs a space, passes.
    mutating func space(
        of target: ObjectID, for ref: RefName, with other: RefName, moved: RefChange,
        isLenient: Bool
    ) throws(RefError) -> GateAnswer {
        let demanded = "one embedding space for \(ref) and \(other)"
        let own = try ancestry.space(of: target)
        guard let partner = self.target(of: other) else {
            return GateAnswer(
                passes: isLenient, demanded: demanded,
                found: "it is \(own.phrase) and there is no \(other)",
                remedy: moved.name == other
                    ? "ftictl ref delete \(other) \(ref)"
                    : try both(target, ref, and: other, of: own.id))
        }
        let needed = try ancestry.space(of: partner)
        let isOther = moved.name == other
        // The message calls the moving snapshot "it" and names the other ref.
        let (moving, staying) = isOther ? (needed, own) : (own, needed)
        let (movingTarget, stayingRef) = isOther ? (partner, ref) : (target, other)
        let passes = moving.fits(staying, isLenient: isLenient)
        return GateAnswer(
            passes: passes, demanded: demanded,
            found: "it is \(moving.phrase) and \(stayingRef) \(staying.phrase)",
            remedy: passes
                ? nil
                : moving == .undeclared
                    ? SpaceNeed.remedy
                    : try both(movingTarget, moved.name, and: stayingRef, of: moving.id))
    }

    /// The command that promotes a snapshot and, in the same transaction, moves another ref to a snapshot of its space.
    private mutating func both(
        _ target: ObjectID, _ ref: RefName, and other: RefName, of space: ObjectID?
    ) throws(RefError) -> String {
        var fitting: ObjectID?
        if let space {
            let inputs = try ancestry.snapshot(target).inputs.sorted { $0.key < $1.key }.map(
                \.value)
            let refs = namesToSuggest(other.namespace)
            let candidates =
                inputs + refs.prefix(Self.searchLimit).compactMap { state.target(of: $0) }
            for candidate in candidates where fitting == nil {
                guard try ancestry.snapshot(candidate).kind == other.namespace.kind,
                    try ancestry.space(of: candidate).id == space
                else { continue }
                fitting = candidate
            }
        }
        return "ftictl promote \(revision(target)) \(ref) \(fitting?.short ?? "REV") \(other)"
            + (fitting == nil ? ", where REV is of the same space" : "")
    }
}
