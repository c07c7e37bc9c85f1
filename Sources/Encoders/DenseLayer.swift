internal import CKernels

/// A matrix of weights and a bias, packed for the kernels.
struct DenseLayer: Sendable {
    /// The number of inputs.
    let inputs: Int
    /// The number of outputs, padded to a multiple of ``panel``.
    let outputs: Int
    private let packed: [Float]
    private let bias: [Float]

    /// The number to whose multiples rows of activations are padded.
    static let panel = FTI_PANEL

    /// A number of columns with its padding.
    static func padded(_ count: Int) -> Int { (count + panel - 1) / panel * panel }

    /// Packs several matrices with the same inputs as one: each one's outputs follow those of the one before, padded.
    ///
    /// - Parameter parts: Weights in rows, one for each output, with the biases of the outputs.
    init(_ parts: [(weights: [Float], bias: [Float])], inputs: Int) {
        self.inputs = inputs
        outputs = parts.reduce(0) { $0 + Self.padded($1.bias.count) }
        var packed: [Float] = []
        var bias: [Float] = []
        packed.reserveCapacity(outputs * inputs)
        for part in parts {
            let count = Self.padded(part.bias.count)
            var panels = [Float](repeating: 0, count: count * inputs)
            fti_pack_weights(part.weights, part.bias.count, inputs, &panels)
            packed += panels
            bias += part.bias
            bias += [Float](repeating: 0, count: count - part.bias.count)
        }
        self.packed = packed
        self.bias = bias
    }

    /// Writes the outputs of the first `count` rows of `rows`, which are `stride` numbers apart, to `result`, whose rows
    /// are ``outputs`` numbers apart.
    func apply(
        _ rows: [Float], stride: Int, count: Int, activation: fti_activation = FTI_IDENTITY,
        to result: inout [Float]
    ) {
        precondition(inputs <= stride && rows.count >= count * stride, "the rows are there")
        precondition(result.count >= count * outputs, "there is room for the outputs")
        fti_dense(
            rows, stride, count, inputs, packed, bias, outputs, activation, &result, outputs)
    }
}
