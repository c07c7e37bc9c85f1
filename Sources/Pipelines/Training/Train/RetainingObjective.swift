/// Preference optimisation that keeps what supervised training taught: the preference loss plus `retain`
/// times the supervised loss (Pang and others, 2024, "Iterative reasoning preference optimization",
/// equation 1, has the same sum).
///
/// A preference tells the policy about two sections of all. Without the second term, weights move far
/// enough to please every preference and to forget how to rank the rest.
public struct RetainingObjective: Objective {
    /// The preferences.
    public let preference: PreferenceObjective
    /// The questions of supervised training.
    public let supervised: SupervisedObjective
    /// The weight of the supervised loss.
    public let retain: Double

    /// Makes an objective.
    public init(preference: PreferenceObjective, supervised: SupervisedObjective, retain: Double) {
        self.preference = preference
        self.supervised = supervised
        self.retain = retain
    }

    /// See ``Objective``.
    public var count: Int { preference.count + supervised.count }

    /// See ``Objective``.
    public var origin: [Double] { preference.origin }

    /// See ``Objective``.
    public var l2: Double { preference.l2 + retain * supervised.l2 }

    /// See ``Objective``: preferences first, then questions.
    public func slope(of example: Int, at weights: [Double]) -> Slope {
        example < preference.count
            ? preference.slope(of: example, at: weights)
            : supervised.slope(of: example - preference.count, at: weights)
    }

    /// See ``Objective``: each part is a mean over its own examples, so their numbers do not matter.
    public func evaluate(at weights: [Double], threads: Int) -> Slope {
        var sum = preference.evaluate(at: weights, threads: threads)
        let kept = supervised.evaluate(at: weights, threads: threads)
        sum.value += retain * kept.value
        for index in weights.indices { sum.gradient[index] += retain * kept.gradient[index] }
        return sum
    }
}
