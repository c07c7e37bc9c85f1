/// The types of numbers that the ggml project's `ggml.h` numbers, with the blocks that they are stored in.
struct GGMLType {
    /// The name, as the project writes it.
    let name: String
    /// Numbers in a block.
    let block: Int
    /// Bytes of a block.
    let bytes: Int

    /// The type of a number; nil for one that this release does not know.
    init?(_ number: UInt32) {
        guard let entry = Self.table[number] else { return nil }
        self = entry
    }

    private init(_ name: String, _ block: Int, _ bytes: Int) {
        self.name = name
        self.block = block
        self.bytes = bytes
    }

    private static let table: [UInt32: GGMLType] = [
        0: .init("F32", 1, 4), 1: .init("F16", 1, 2), 2: .init("Q4_0", 32, 18),
        3: .init("Q4_1", 32, 20), 6: .init("Q5_0", 32, 22), 7: .init("Q5_1", 32, 24),
        8: .init("Q8_0", 32, 34), 9: .init("Q8_1", 32, 40), 10: .init("Q2_K", 256, 84),
        11: .init("Q3_K", 256, 110), 12: .init("Q4_K", 256, 144), 13: .init("Q5_K", 256, 176),
        14: .init("Q6_K", 256, 210), 15: .init("Q8_K", 256, 292), 16: .init("IQ2_XXS", 256, 66),
        17: .init("IQ2_XS", 256, 74), 18: .init("IQ3_XXS", 256, 98), 19: .init("IQ1_S", 256, 50),
        20: .init("IQ4_NL", 32, 18), 21: .init("IQ3_S", 256, 110), 22: .init("IQ2_S", 256, 82),
        23: .init("IQ4_XS", 256, 136), 24: .init("I8", 1, 1), 25: .init("I16", 1, 2),
        26: .init("I32", 1, 4), 27: .init("I64", 1, 8), 28: .init("F64", 1, 8),
        29: .init("IQ1_M", 256, 56), 30: .init("BF16", 1, 2), 34: .init("TQ1_0", 256, 54),
        35: .init("TQ2_0", 256, 66), 39: .init("MXFP4", 32, 17), 40: .init("NVFP4", 64, 36),
        41: .init("Q1_0", 128, 18),
    ]

    /// The bytes of a tensor of this shape; nil where its rows are not whole blocks, or no file is so large.
    func size(of shape: [UInt64]) -> UInt64? {
        guard (shape.first ?? 1) % UInt64(block) == 0 else { return nil }
        var blocks = (shape.first ?? 1) / UInt64(block)
        for extent in shape.dropFirst() {
            let (product, overflow) = blocks.multipliedReportingOverflow(by: extent)
            guard !overflow else { return nil }
            blocks = product
        }
        let (size, overflow) = blocks.multipliedReportingOverflow(by: UInt64(bytes))
        return overflow ? nil : size
    }
}
