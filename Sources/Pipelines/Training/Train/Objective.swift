internal import Artifacts
internal import Objects

/// The value of a function of the weights, and its gradient there.
public struct Slope: Sendable {
    /// The value.
    public var value: Double
    /// The partial derivatives, in the order of the weights.
    public var gradient: [Double]

    /// Zero, in `count` weights.
    public init(count: Int) {
        value = 0
        gradient = [Double](repeating: 0, count: count)
    }

    mutating func add(_ other: Slope) {
        value += other.value
        for index in gradient.indices { gradient[index] += other.gradient[index] }
    }
}

/// A function of the weights that training makes smaller: a mean over examples plus a quadratic pull
/// towards the weights it started from.
public protocol Objective: Sendable {
    /// The number of examples.
    var count: Int { get }
    /// Where training starts, and what it is pulled back to.
    var origin: [Double] { get }
    /// The strength of the pull: half of it times the squared distance is added.
    var l2: Double { get }
    /// The value and the gradient of one example; must depend on nothing but its parameters.
    func slope(of example: Int, at weights: [Double]) -> Slope
    /// The value and the gradient at `weights`: the same bits for any number of threads.
    func evaluate(at weights: [Double], threads: Int) -> Slope
}

extension Objective {
    /// The mean over the examples and the pull, with the same bits for any number of threads.
    ///
    /// Examples are added up in blocks of a fixed size, then the blocks in order.
    public func evaluate(at weights: [Double], threads: Int) -> Slope {
        let blockSize = 16
        let blocks = (count + blockSize - 1) / blockSize
        let parts = Threads.map(blocks, threads: threads) { block in
            var sum = Slope(count: weights.count)
            for example in block * blockSize..<min(count, (block + 1) * blockSize) {
                sum.add(slope(of: example, at: weights))
            }
            return sum
        }
        var total = Slope(count: weights.count)
        for part in parts { total.add(part) }
        let mean = 1 / Double(max(1, count))
        total.value *= mean
        for index in weights.indices {
            let distance = weights[index] - origin[index]
            total.value += l2 / 2 * distance * distance
            total.gradient[index] = total.gradient[index] * mean + l2 * distance
        }
        return total
    }

    /// Descends along the full gradient from ``origin`` in `epochs` steps of `rate` times the gradient.
    ///
    /// A step that would raise the value is not taken: the rate is halved for good instead.
    public func minimised(epochs: Int, rate: Double, threads: Int) -> Descent {
        var weights = origin
        var slope = evaluate(at: weights, threads: threads)
        let before = slope.value
        var rate = rate
        for _ in 0..<epochs {
            var next = weights
            for index in next.indices { next[index] -= rate * slope.gradient[index] }
            let nextSlope = evaluate(at: next, threads: threads)
            if nextSlope.value <= slope.value {
                weights = next
                slope = nextSlope
            } else {
                rate /= 2
            }
        }
        return Descent(weights: weights, before: before, after: slope.value)
    }
}

/// The outcome of a descent.
public struct Descent: Sendable {
    /// The weights it arrived at.
    public let weights: [Double]
    /// The value where it started.
    public let before: Double
    /// The value where it arrived.
    public let after: Double
}
