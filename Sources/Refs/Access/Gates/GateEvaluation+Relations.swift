internal import Objects

/// The gates that compare a snapshot with what another ref points at after the transaction.
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
        // The command that satisfies the gate for sure is the one that moves both.
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

    /// - Parameter isLenient: Whether what declares no space, or is not there, is as good as the right one.
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
        // What moves is "it"; the other ref is named.
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

    /// The command that moves a snapshot and, in the same transaction, another ref to something of its space.
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
