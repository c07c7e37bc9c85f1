import Artifacts
import TestSupport
import Testing
import TrainingPipeline

@Suite struct ObjectiveTests {
    private let columns = CandidateSignals.columns

    private func signals(_ count: Int, seed: UInt64) -> CandidateSignals {
        var random = SeededGenerator(seed: seed)
        return CandidateSignals(
            values: (0..<count * columns).map { _ in random.unit() * 2 - 1 })
    }

    private func weights(seed: UInt64) -> [Double] {
        var random = SeededGenerator(seed: seed)
        return (0..<columns).map { _ in random.unit() - 0.5 }
    }

    private func supervised(_ count: Int, l2: Double = 0.01) -> SupervisedObjective {
        SupervisedObjective(
            examples: (0..<count).map { index in
                .init(
                    signals: signals(9, seed: UInt64(index)),
                    relevant: index % 2 == 0 ? [index % 9] : [1, 4])
            }, origin: weights(seed: 99), l2: l2)
    }

    private func preference(_ count: Int, l2: Double = 0.01) -> PreferenceObjective {
        PreferenceObjective(
            examples: (0..<count).map { index in
                .init(
                    signals: signals(9, seed: UInt64(index + 50)), chosen: [0, 3], rejected: [5])
            }, reference: weights(seed: 98), beta: 0.7, l2: l2)
    }

    private func checkGradient(of objective: some Objective) {
        let at = weights(seed: 5)
        let slope = objective.evaluate(at: at, threads: 1)
        let step = 1e-6
        for column in 0..<columns {
            var up = at
            var down = at
            up[column] += step
            down[column] -= step
            let estimate =
                (objective.evaluate(at: up, threads: 1).value
                    - objective.evaluate(at: down, threads: 1).value) / (2 * step)
            #expect(abs(estimate - slope.gradient[column]) < 1e-7, "column \(column)")
        }
    }

    @Test("the supervised gradient matches finite differences")
    func supervisedGradient() { checkGradient(of: supervised(20)) }

    @Test("the preference gradient matches finite differences")
    func preferenceGradient() { checkGradient(of: preference(20)) }

    @Test("the gradient of both together matches finite differences")
    func retainingGradient() {
        checkGradient(
            of: RetainingObjective(
                preference: preference(8), supervised: supervised(12), retain: 0.6))
    }

    @Test("values and gradients have the same bits with 1, 2 and 5 threads")
    func threads() {
        let objective = supervised(100)
        let one = objective.evaluate(at: objective.origin, threads: 1)
        for threads in [2, 5] {
            let other = objective.evaluate(at: objective.origin, threads: threads)
            #expect(other.value == one.value)
            #expect(other.gradient == one.gradient)
        }
    }

    @Test("the supervised loss of equal scores is the logarithm of the odds")
    func supervisedValue() {
        let equal = CandidateSignals(values: [Double](repeating: 0.5, count: 8 * columns))
        let objective = SupervisedObjective(
            examples: [.init(signals: equal, relevant: [2, 5])],
            origin: [Double](repeating: 0, count: columns), l2: 0)
        let value = objective.evaluate(at: weights(seed: 1), threads: 1).value
        #expect(abs(value - PortableMath.log(4)) < 1e-12)
    }

    @Test("the preference loss matches a hand computation")
    func preferenceValue() {
        // One signal counts: 1 for the chosen row, 0 for the rejected one. The reference weighs it 0.5 and the ranker
        // 2, so the margins are 0.5 and 2, and with beta 0.4 the loss is -ln sigmoid(0.6).
        var values = [Double](repeating: 0, count: 2 * columns)
        values[0] = 1
        var reference = [Double](repeating: 0, count: columns)
        reference[0] = 0.5
        var policy = reference
        policy[0] = 2
        let objective = PreferenceObjective(
            examples: [
                .init(signals: CandidateSignals(values: values), chosen: [0], rejected: [1])
            ], reference: reference, beta: 0.4, l2: 0)
        #expect(abs(objective.evaluate(at: reference, threads: 1).value - 0.693_147_180_56) < 1e-10)
        let slope = objective.evaluate(at: policy, threads: 1)
        #expect(abs(slope.value - 0.437_487_950_3) < 1e-9)
        // The derivative is -beta x sigmoid(-0.6).
        #expect(abs(slope.gradient[0] - -0.4 * 0.354_343_693_8) < 1e-9)
    }

    @Test("descent never ends above its start, even with far too large a rate")
    func descent() {
        for rate in [0.01, 0.5, 1000] {
            let result = supervised(20).minimised(epochs: 40, rate: rate, threads: 2)
            #expect(result.after < result.before)
        }
        let none = supervised(3).minimised(epochs: 0, rate: 1, threads: 1)
        #expect(none.weights == supervised(3).origin)
    }
}
