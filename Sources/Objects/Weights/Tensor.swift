/// One tensor of a file: what it is and where its numbers are.
public struct Tensor: Hashable, Sendable {
    /// The name, unique in its file by its UTF-8 bytes.
    public let name: String
    /// The type of its numbers, as the file names it.
    public let dtype: String
    /// The same; nil for one whose numbers are compared as bytes only.
    public let type: ElementType?
    /// The extent of each dimension, as the file lists them; empty for a single number.
    public let shape: [Int]
    /// Where its numbers are, in bytes from the start of the file.
    public let range: Range<Int>

    /// The number of elements; `Int.max` where no `Int` holds it.
    public var elements: Int {
        guard !shape.contains(0) else { return 0 }
        return shape.reduce(1) { product, extent in
            let (result, overflow) = product.multipliedReportingOverflow(by: extent)
            return overflow ? .max : result
        }
    }

    /// `[2, 3]`, as Python writes it.
    public var shapeDescription: String { "[\(shape.map(String.init).joined(separator: ", "))]" }
}
